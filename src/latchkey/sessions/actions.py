"""Audit actions of sessions."""

from enum import StrEnum


class SessionAction(StrEnum):
    LOGOUT = "LOGOUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOKEN_REUSE_DETECTED = "TOKEN_REUSE_DETECTED"  # noqa: S105 the name of an action
    TOKEN_REPLAYED = "TOKEN_REPLAYED"  # noqa: S105 the name of an action
