"""The /auth/sessions endpoints: a user's own sessions."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from latchkey.http.endpoint import Call, Endpoint, Reply
from latchkey.http.errors import SessionNotFound
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.devices import device_name
from latchkey.sessions.guard import Guards
from latchkey.sessions.management import Revoker, SessionManager

TAG = "Sessions"


class SessionView(BaseModel):
    """A live session. `device` is a readable form of `userAgent`, `lastUsedAt` the time of its last refresh."""

    id: UUID
    created_at: datetime = Field(serialization_alias="createdAt")
    last_used_at: datetime = Field(serialization_alias="lastUsedAt")
    ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None = Field(serialization_alias="userAgent")
    device: str | None = Field(examples=["Firefox on Ubuntu"])
    current: bool = Field(description="whether it is the session that asks")


class EndedSessions(BaseModel):
    """How many sessions ended."""

    ended: int = Field(ge=0, examples=[2])


def session_endpoints(sessions: SessionManager, guards: Guards, cookies: SessionCookies) -> list[Endpoint[Any]]:
    """See and end one's own sessions."""

    def revoker(call: Call[None]) -> Revoker:
        return Revoker(call.signed_in.user_id, call.signed_in.session_id, call.origin)

    async def list_sessions(call: Call[None]) -> Reply:
        principal = call.signed_in
        live = await sessions.live(principal.user_id)
        # Some milliseconds each, when not seen before, and the very first loads the rules: nothing for the event loop.
        devices = await asyncio.to_thread(lambda: [device_name(session.user_agent) for session in live])
        return Reply(
            [
                SessionView(
                    id=session.id,
                    created_at=session.created_at,
                    last_used_at=session.last_used_at,
                    ip=session.ip,
                    user_agent=session.user_agent,
                    device=device,
                    current=session.id == principal.session_id,
                )
                for session, device in zip(live, devices, strict=True)
            ]
        )

    async def end_session(call: Call[None]) -> Reply:
        principal = call.signed_in
        await sessions.revoke(principal.user_id, call.path_session_id, revoker(call))
        is_own = call.path_session_id == principal.session_id
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
            description="Every device that is signed in, newest use first.",
            guard=guards.signed_in,
            data=list[SessionView],
        ),
        Endpoint(
            method="DELETE",
            path="/auth/sessions",
            handler=end_other_sessions,
            tag=TAG,
            summary="Sign out everywhere else",
            description="Ends all your sessions but the one that asks.",
            message="Other sessions ended",
            guard=guards.signed_in,
            data=EndedSessions,
        ),
        Endpoint(
            method="DELETE",
            path="/auth/sessions/{sessionId}",
            handler=end_session,
            tag=TAG,
            summary="Sign one device out",
            description="Ending the session that asks clears its cookies.",
            message="Session ended",
            guard=guards.signed_in,
            failures=(SessionNotFound,),
            cookies_out=(cookies.access_name, cookies.refresh_name),
        ),
    ]
