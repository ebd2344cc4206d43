"""Refusals of passwords."""

from latchkey.refusal import Refusal


class CurrentPasswordIncorrect(Refusal):
    status, code, message = 400, "VALIDATION_ERROR", "Current password is incorrect"


class ResetTokenRefused(Refusal):
    """Refuses an unknown, used or expired token. One answer for all three reveals nothing about the token."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"
