"""Refusals of administration that several features share."""

from latchkey.refusal import Refusal


class ReauthenticationRequired(Refusal):
    """The admin signed in too long ago for this. Signing in again helps (RFC 9470 section 3)."""

    status, code, message = 403, "REAUTHENTICATION_REQUIRED", "Confirm that it is you"

    def __init__(self, max_age: int = 0) -> None:
        super().__init__()
        self.challenge = f' error="insufficient_user_authentication", max_age={max_age}'


class CannotChangeSelf(Refusal):
    """Admins do not take rights or accounts from themselves, so that a slip locks nobody out."""

    status, code, message = 409, "CANNOT_CHANGE_SELF", "Another admin has to do this"


class MailNotConfigured(Refusal):
    """SMTP_URL is not set."""

    status, code, message = 409, "MAIL_NOT_CONFIGURED", "No mail is sent here"
