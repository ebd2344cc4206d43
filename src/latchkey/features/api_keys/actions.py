"""Audit actions of API keys."""

from enum import StrEnum


class ApiKeyAction(StrEnum):
    CREATE_API_KEY = "CREATE_API_KEY"
    REVOKE_API_KEY = "REVOKE_API_KEY"
