"""Audit actions of e-mail verification."""

from enum import StrEnum


class EmailVerificationAction(StrEnum):
    VERIFY_EMAIL = "VERIFY_EMAIL"
