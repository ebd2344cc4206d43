"""What e-mail verification refuses."""

from latchkey.refusal import Refusal


class EmailTokenRefused(Refusal):
    """A token that is unknown, used or expired: one answer for all, so that it tells nothing."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"


class EmailNotVerified(Refusal):
    """REQUIRE_VERIFIED_EMAIL is on. Said only to someone who knows the password."""

    status, code = 403, "EMAIL_NOT_VERIFIED"
    message = "Confirm your e-mail address first, by the link that was mailed to it, or ask for a new link."
