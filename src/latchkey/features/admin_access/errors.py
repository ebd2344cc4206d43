"""Refusals of administration that several features share."""

from latchkey.refusal import Refusal


class CannotChangeSelf(Refusal):
    """Admins do not take rights or accounts from themselves, so that a slip locks nobody out."""

    status, code, message = 409, "CANNOT_CHANGE_SELF", "Another admin has to do this"


class MailNotConfigured(Refusal):
    """SMTP_URL is not set."""

    status, code, message = 409, "MAIL_NOT_CONFIGURED", "No mail is sent here"
