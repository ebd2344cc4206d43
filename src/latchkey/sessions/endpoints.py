"""The /auth/sessions endpoints: a user's own sessions."""

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.page_meta import CursorMeta
from latchkey.http.request_kind import Transport
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.devices import name_device
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.guard import Guards
from latchkey.sessions.management import Revoker, SessionManager
from latchkey.sessions.pages import SessionsQuery, cursor_of

TAG = "Sessions"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def _session_id(value: object) -> UUID:
    # Only the usual form (RFC 9562, section 4). UUID() also accepts braces, URNs and a missing hyphen.
    if not _UUID.fullmatch(str(value)):
        raise PydanticCustomError("uuid", "must be a UUID")
    return UUID(str(value))


class SessionPath(BaseModel):
    """A session's id in a path."""

    session_id: Annotated[
        UUID,
        PlainValidator(_session_id, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "format": "uuid"}),
    ] = Field(alias="sessionId")


class SessionView(BaseModel):
    """A live session. `device` is a readable form of `userAgent`; `lastUsedAt` is the time of its last refresh."""

    id: UUID
    created_at: datetime = Field(serialization_alias="createdAt")
    last_used_at: datetime = Field(serialization_alias="lastUsedAt")
    ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None = Field(serialization_alias="userAgent")
    device: str | None = Field(examples=["Firefox on Ubuntu"])
    transport: Transport = Field(description="how its tokens travel")
    current: bool = Field(description="whether the request belongs to this session")


class EndedSessions(BaseModel):
    """The number of ended sessions."""

    ended: int = Field(ge=0, examples=[2])


def session_endpoints(sessions: SessionManager, guards: Guards, cookies: SessionCookies) -> list[Endpoint[Any]]:
    """Returns the endpoints that list and end the caller's own sessions."""

    def revoker(call: Call[None]) -> Revoker:
        return Revoker(call.signed_in.user_id, call.signed_in.session_id, call.origin)

    async def list_sessions(call: Call[None]) -> Reply:
        principal, limit = call.signed_in, call.query.limit
        page, following = await sessions.page(principal.user_id, limit=limit, after=call.query.cursor)
        return Reply(
            [
                SessionView(
                    id=session.id,
                    created_at=session.created_at,
                    last_used_at=session.last_used_at,
                    ip=session.ip,
                    user_agent=session.user_agent,
                    # A session that an older version opened has no name yet.
                    device=(await name_device(session.user_agent) if session.device is None else session.device)
                    or None,
                    transport=Transport(session.transport),
                    current=session.id == principal.session_id,
                )
                for session in page
            ],
            CursorMeta(limit=limit, next_cursor=cursor_of(following) if following else None),
        )

    async def end_session(call: Call[None]) -> Reply:
        principal = call.signed_in
        await sessions.revoke(principal.user_id, call.params.session_id, revoker(call))
        is_own = call.params.session_id == principal.session_id
        return Reply(cookies=cookies.clear() if is_own else ())

    async def end_other_sessions(call: Call[None]) -> Reply:
        principal = call.signed_in
        ended = await sessions.revoke_all(principal.user_id, revoker(call), keep=principal.session_id)
        return Reply(EndedSessions(ended=ended))

    return [
        Endpoint(
            method="GET",
            path="/auth/sessions",
            handler=list_sessions,
            tag=TAG,
            summary="List your sessions",
            description=(
                "Lists your live sessions in pages, newest use first. A session that is refreshed while you read"
                " page after page moves to the first one."
            ),
            success=(Success(data=list[SessionView], meta=CursorMeta),),
            guard=guards.signed_in,
            query=SessionsQuery,
        ),
        Endpoint(
            method="DELETE",
            path="/auth/sessions",
            handler=end_other_sessions,
            tag=TAG,
            summary="Sign out everywhere else",
            description="Ends all your sessions except the current one.",
            success=(Success(message="Other sessions ended", data=EndedSessions),),
            guard=guards.signed_in,
        ),
        Endpoint(
            method="DELETE",
            path="/auth/sessions/{sessionId}",
            handler=end_session,
            tag=TAG,
            summary="Sign one device out",
            description="Ending the current session clears its cookies.",
            success=(Success(message="Session ended"),),
            guard=guards.signed_in,
            params=SessionPath,
            failures=(SessionNotFound,),
            cookies_out=(cookies.access_name, cookies.refresh_name),
        ),
    ]
