"""What the audit log records: one event a change."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from latchkey.origin import Origin


@dataclass(frozen=True, slots=True)
class Event:
    """One row to be: who did what to whom or what, from where. Nothing in it is a password, token, name or address.

    `action` is one of its feature's. `actor_id` is the user who proved who they are (None: nobody did); `entity_id` is
    the user that it was done to, or None with another `entity_type`; `changed` are names of columns.
    """

    action: StrEnum
    actor_id: int | None
    entity_id: int | None
    origin: Origin
    session_id: UUID | None = None
    changed: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    entity_type: str = "users"

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
