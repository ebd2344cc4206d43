"""Audit actions of registration."""

from enum import StrEnum


class RegistrationAction(StrEnum):
    CREATE_USER = "CREATE_USER"
