"""Audit actions of the administration of users."""

from enum import StrEnum


class UserAdministrationAction(StrEnum):
    SUSPEND_USER = "SUSPEND_USER"
    UNSUSPEND_USER = "UNSUSPEND_USER"
    ERASE_USER = "ERASE_USER"
    RESET_LINK_REQUESTED = "RESET_LINK_REQUESTED"
