"""What is refused on the ways in, and when a password is set."""

from latchkey.refusal import Refusal


class CurrentPasswordIncorrect(Refusal):
    status, code, message = 400, "VALIDATION_ERROR", "Current password is incorrect"


class ResetTokenRefused(Refusal):
    """A token of a link that is unknown, used or expired: one answer for all, so that it tells nothing."""

    status, code, message = 400, "TOKEN_EXPIRED", "Invalid or expired token"


class InvalidCredentials(Refusal):
    """Unknown address, wrong password or deleted user: one answer for all."""

    status, code, message = 401, "UNAUTHORIZED", "Invalid credentials"


class RegistrationClosed(Refusal):
    """REGISTRATION is closed."""

    status, code = 403, "REGISTRATION_CLOSED"
    message = "Registration is closed; ask whoever runs this service for an account"


class EmailNotVerified(Refusal):
    """REQUIRE_VERIFIED_EMAIL is on. Said only to someone who knows the password."""

    status, code = 403, "EMAIL_NOT_VERIFIED"
    message = "Confirm your e-mail address first, by the link that was mailed to it, or ask for a new link."


class TooManyAttempts(Refusal):
    """Too soon after failed attempts at the same account; Retry-After says when the next may be made."""

    status, code = 429, "TOO_MANY_ATTEMPTS"
    message = "Too many failed attempts. Wait a moment and try again, or reset your password."
