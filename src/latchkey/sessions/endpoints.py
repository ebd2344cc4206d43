"""The /auth/sessions endpoints: a user's own sessions."""

from typing import Any

from latchkey.audit.actor import Actor
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.page_meta import CursorMeta
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.guard import Guards
from latchkey.sessions.management import SessionManager
from latchkey.sessions.pages import SessionsQuery, cursor_of
from latchkey.sessions.views import EndedSessions, OwnSessionView, SessionPath, view_of

TAG = "Sessions"


def own_actor(call: Call[Any]) -> Actor:
    """Returns the signed-in user as the actor of a change to their own account."""
    return Actor(user_id=call.signed_in.user_id, session_id=call.signed_in.session_id, origin=call.origin)


def session_endpoints(sessions: SessionManager, guards: Guards, cookies: SessionCookies) -> list[Endpoint[Any]]:
    """Returns the endpoints that list and end the caller's own sessions."""

    async def list_sessions(call: Call[None]) -> Reply:
        principal, limit = call.signed_in, call.query.limit
        page, following = await sessions.page(principal.user_id, limit=limit, after=call.query.cursor)
        return Reply(
            [
                OwnSessionView(
                    **dict(await view_of(session)),
                    current=session.id == principal.session_id,
                    impersonated=session.impersonated,
                )
                for session in page
            ],
            CursorMeta(limit=limit, next_cursor=cursor_of(following) if following else None),
        )

    async def end_session(call: Call[None]) -> Reply:
        principal = call.signed_in
        await sessions.revoke(principal.user_id, call.params.session_id, own_actor(call))
        is_own = call.params.session_id == principal.session_id
        return Reply(cookies=cookies.clear() if is_own else ())

    async def end_other_sessions(call: Call[None]) -> Reply:
        principal = call.signed_in
        ended = await sessions.revoke_all(principal.user_id, own_actor(call), keep=principal.session_id)
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
            success=(Success(data=list[OwnSessionView], meta=CursorMeta),),
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
