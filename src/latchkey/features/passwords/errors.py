"""What passwords refuse."""

from latchkey.refusal import Refusal


class CurrentPasswordIncorrect(Refusal):
    status, code, message = 400, "VALIDATION_ERROR", "Current password is incorrect"


class ResetTokenRefused(Refusal):
    """A token of a link that is unknown, used or expired: one answer for all, so that it tells nothing."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"
