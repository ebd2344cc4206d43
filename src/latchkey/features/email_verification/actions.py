"""What e-mail verification writes to the audit log."""

from enum import StrEnum


class EmailVerificationAction(StrEnum):
    """Actions of e-mail verification."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
