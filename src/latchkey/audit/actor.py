"""The actor of a change, as its audit row names it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from latchkey.audit.event import Event
from latchkey.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A user in one of their sessions, an API key, or an operator at the command line (all three ids None)."""

    user_id: int | None = None
    session_id: UUID | None = None
    api_key_id: str | None = None
    origin: Origin

    def event(
        self,
        action: StrEnum,
        user_id: int | None,
        *,
        changed: tuple[str, ...] = (),
        details: dict[str, Any] | None = None,
        entity_type: str = "users",
    ) -> Event:
        """Returns the audit row of a change by this actor to that user, or to another type of entity."""
        return Event(
            action,
            self.user_id,
            user_id,
            self.origin,
            self.session_id,
            changed,
            details or {},
            entity_type,
            self.api_key_id,
        )
