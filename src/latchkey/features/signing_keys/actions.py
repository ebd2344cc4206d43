"""The audit action of signing keys."""

from enum import StrEnum


class SigningKeyAction(StrEnum):
    SIGNING_KEY = "SIGNING_KEY"


class KeyEvent(StrEnum):
    """What happened to a key: `event` in the row's metadata."""

    CREATED = "created"
    RETIRED = "retired"
    DISCARDED = "discarded"
