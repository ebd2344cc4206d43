"""What changes of accounts write to the audit log."""

from enum import StrEnum


class AccountAction(StrEnum):
    """Actions of accounts."""

    UPDATE_USER = "UPDATE_USER"
    DELETE_USER = "DELETE_USER"
    RESTORE_USER = "RESTORE_USER"
