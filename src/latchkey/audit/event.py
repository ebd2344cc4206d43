"""An event: what the audit log records of a change."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from latchkey.origin import Origin


@dataclass(frozen=True, slots=True)
class Event:
    """An audit row to write: the action, its actor, its target and its origin. It holds no password, token, name or
    address.

    `action` is one of its feature's actions. `actor_id` is the authenticated user, or None. `entity_id` is the user
    that the change is about, or None with another `entity_type`. `changed` lists column names. `api_key_id` is the API
    key that made the change; the row then has no actor.
    """

    action: StrEnum
    actor_id: int | None
    entity_id: int | None
    origin: Origin
    session_id: UUID | None = None
    changed: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    entity_type: str = "users"
    api_key_id: str | None = None

    def metadata(self) -> dict[str, Any]:
        """Returns the row's JSON, without unknown values."""
        known = {
            "ip": self.origin.ip,
            "userAgent": self.origin.user_agent,
            "requestId": self.origin.request_id,
            "sessionId": str(self.session_id) if self.session_id else None,
            "apiKeyId": self.api_key_id,
            "changed": list(self.changed) or None,
        }
        return {name: value for name, value in known.items() if value is not None} | self.details
