"""Refusals of e-mail verification."""

from latchkey.refusal import Refusal


class EmailTokenRefused(Refusal):
    """Refuses an unknown, used or expired token. One answer for all three reveals nothing about the token."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"


class EmailNotVerified(Refusal):
    """Refuses a login while REQUIRE_VERIFIED_EMAIL is on and the address is not verified. Only after a correct
    password."""

    status, code = 403, "EMAIL_NOT_VERIFIED"
    message = "Confirm your e-mail address first: open the link that was mailed to it, or ask for a new link."
