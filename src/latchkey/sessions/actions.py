"""What sessions write to the audit log."""

from enum import StrEnum


class SessionAction(StrEnum):
    """Actions of sessions."""

    LOGOUT = "LOGOUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOKEN_REUSE_DETECTED = "TOKEN_REUSE_DETECTED"  # noqa: S105 the name of an action
    TOKEN_REPLAYED = "TOKEN_REPLAYED"  # noqa: S105 the name of an action
