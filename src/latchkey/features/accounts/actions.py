"""Audit actions of accounts."""

from enum import StrEnum


class AccountAction(StrEnum):
    UPDATE_USER = "UPDATE_USER"
    DELETE_USER = "DELETE_USER"
    RESTORE_USER = "RESTORE_USER"
