"""The role of a user."""

from enum import StrEnum


class Role(StrEnum):
    """What a user may do in Latchkey: only an administrator may do more than work on their own account."""

    USER = "user"
    ADMIN = "admin"
