"""What the audit log records (contract, section 9)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from latchkey.origin import Origin


class Action(StrEnum):
    """The actions; the first eight are the original's."""

    LOGIN = "LOGIN"
    CREATE_USER = "CREATE_USER"
    UPDATE_USER = "UPDATE_USER"
    DELETE_USER = "DELETE_USER"
    RESTORE_USER = "RESTORE_USER"
    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 the name of an action
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 the name of an action
    TOKEN_REUSE_DETECTED = "TOKEN_REUSE_DETECTED"  # noqa: S105 the name of an action
    LOGIN_FAILED = "LOGIN_FAILED"
    LOGOUT = "LOGOUT"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOKEN_REPLAYED = "TOKEN_REPLAYED"  # noqa: S105 the name of an action
    FORGOT_PASSWORD = "FORGOT_PASSWORD"  # noqa: S105 the name of an action
    VERIFY_EMAIL = "VERIFY_EMAIL"


@dataclass(frozen=True, slots=True)
class Event:
    """One row to be: who did what to which user, from where. Nothing in it is a password, token, name or address.

    `actor_id` is the user who proved who they are (None: nobody did); `changed` are names of columns.
    """

    action: Action
    actor_id: int | None
    entity_id: int | None
    origin: Origin
    session_id: UUID | None = None
    changed: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """The row's JSON; what is not known is left out."""
        known = {
            "ip": self.origin.ip,
            "userAgent": self.origin.user_agent,
            "requestId": self.origin.request_id,
            "sessionId": str(self.session_id) if self.session_id else None,
            "changed": list(self.changed) or None,
        }
        return {name: value for name, value in known.items() if value is not None} | self.details
