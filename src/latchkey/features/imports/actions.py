"""Audit actions of imports."""

from enum import StrEnum


class ImportAction(StrEnum):
    IMPORT_USERS = "IMPORT_USERS"
