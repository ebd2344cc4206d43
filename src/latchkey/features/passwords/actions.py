"""Audit actions of passwords."""

from enum import StrEnum


class PasswordAction(StrEnum):
    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 the name of an action
    FORGOT_PASSWORD = "FORGOT_PASSWORD"  # noqa: S105 the name of an action
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 the name of an action
