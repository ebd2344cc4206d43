"""What registration writes to the audit log."""

from enum import StrEnum


class RegistrationAction(StrEnum):
    """Actions of registration."""

    CREATE_USER = "CREATE_USER"
