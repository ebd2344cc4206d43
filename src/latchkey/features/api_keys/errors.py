"""Refusals of API keys."""

from latchkey.refusal import Refusal


class InvalidApiKey(Refusal):
    """The key is unknown, expired, revoked, or no key of ours at all. The answer does not say which."""

    status, code, message = 401, "INVALID_API_KEY", "Invalid API key"


class InsufficientScope(Refusal):
    """The key is good, but was created without the scope of this endpoint."""

    status, code, message = 403, "INSUFFICIENT_SCOPE", "The API key lacks a scope"
