"""What sign-in writes to the audit log."""

from enum import StrEnum


class SignInAction(StrEnum):
    """Actions of sign-in."""

    LOGIN = "LOGIN"
    LOGIN_FAILED = "LOGIN_FAILED"
