"""Refusals of sign-in."""

from latchkey.refusal import Refusal


class InvalidCredentials(Refusal):
    """Refuses an unknown address, a wrong password or a deleted user, with one answer for all three."""

    status, code, message = 401, "UNAUTHORIZED", "Invalid credentials"


class AccountSuspended(Refusal):
    """Refuses a suspended user whose proof was right."""

    status, code, message = 403, "ACCOUNT_SUSPENDED", "This account is suspended"


class TooManyAttempts(Refusal):
    """Refuses an attempt too soon after failed ones at the same account. Retry-After gives the seconds to wait."""

    status, code = 429, "TOO_MANY_ATTEMPTS"
    message = "Too many failed attempts. Wait a moment and try again, or reset your password."
