"""Refusals of the administration of API keys."""

from latchkey.refusal import Refusal


class ApiKeyNotFound(Refusal):
    status, code, message = 404, "API_KEY_NOT_FOUND", "API key not found"
