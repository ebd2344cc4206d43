"""Sessions in answers, and a session's id in a path."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.request_kind import Transport
from latchkey.sessions.devices import name_device
from latchkey.sessions.list_queries import ListedSession

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def _session_id(value: object) -> UUID:
    # Only the usual form (RFC 9562, section 4). UUID() also accepts braces, URNs and a missing hyphen.
    if not _UUID.fullmatch(str(value)):
        raise PydanticCustomError("uuid", "must be a UUID")
    return UUID(str(value))


SessionId = Annotated[
    UUID,
    PlainValidator(_session_id, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]


class SessionPath(BaseModel):
    """A session's id in a path."""

    session_id: SessionId = Field(alias="sessionId")


class SessionView(BaseModel):
    """A live session. `device` is a readable form of `userAgent`; `lastUsedAt` is the time of its last refresh."""

    id: UUID
    created_at: datetime = Field(serialization_alias="createdAt")
    last_used_at: datetime = Field(serialization_alias="lastUsedAt")
    ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None = Field(serialization_alias="userAgent")
    device: str | None = Field(examples=["Firefox on Ubuntu"])
    transport: Transport = Field(description="how its tokens travel")


class OwnSessionView(SessionView):
    """A live session, as its user sees it."""

    current: bool = Field(description="whether the request belongs to this session")
    impersonated: bool = Field(
        False, description="an admin acts for you in it; absent in your own", exclude_if=lambda value: not value
    )


class EndedSessions(BaseModel):
    """The number of ended sessions."""

    ended: int = Field(ge=0, examples=[2])


async def view_of(session: ListedSession) -> SessionView:
    """Returns a session as answers show it."""
    return SessionView(
        id=session.id,
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        ip=session.ip,
        user_agent=session.user_agent,
        # A session that an older version opened has no name yet.
        device=(await name_device(session.user_agent) if session.device is None else session.device) or None,
        transport=Transport(session.transport),
    )
