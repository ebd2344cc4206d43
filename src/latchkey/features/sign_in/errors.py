"""What sign-in refuses."""

from latchkey.refusal import Refusal


class InvalidCredentials(Refusal):
    """Unknown address, wrong password or deleted user: one answer for all."""

    status, code, message = 401, "UNAUTHORIZED", "Invalid credentials"


class TooManyAttempts(Refusal):
    """Too soon after failed attempts at the same account; Retry-After says when the next may be made."""

    status, code = 429, "TOO_MANY_ATTEMPTS"
    message = "Too many failed attempts. Wait a moment and try again, or reset your password."
