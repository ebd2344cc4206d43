"""The endpoints /admin/users/:id/sessions."""

from typing import Any

from pydantic import Field

from latchkey.audit.actor import Actor
from latchkey.database.pool import Database
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.actor import actor_of
from latchkey.features.user_administration import read_queries
from latchkey.features.user_administration.scopes import UsersScope
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Forbidden
from latchkey.http.no_query import NoQuery
from latchkey.http.page_meta import CursorMeta
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.management import SessionManager
from latchkey.sessions.pages import SessionsQuery, cursor_of
from latchkey.sessions.views import EndedSessions, SessionId, SessionView, view_of
from latchkey.users.errors import UserNotFound
from latchkey.users.role import Role
from latchkey.users.user import UserPath

TAG = "Administration"
PATH = "/admin/users/{id}/sessions"


class UserSessionPath(UserPath):
    """A user's id and the id of one of their sessions."""

    session_id: SessionId = Field(alias="sessionId")


def session_endpoints(sessions: SessionManager, database: Database, access: AdminAccess) -> tuple[Endpoint[Any], ...]:
    """Returns the endpoints that list and end the sessions of a user."""

    async def require_user(user_id: int, actor: Actor) -> None:
        role = await read_queries.find_role(database, user_id)
        if role is None:
            raise UserNotFound
        if actor.api_key_id is not None and role == Role.ADMIN:
            raise Forbidden

    async def list_user_sessions(call: Call[None]) -> Reply:
        if await read_queries.find_role(database, call.params.id) is None:
            raise UserNotFound
        limit = call.query.limit
        page, following = await sessions.page(call.params.id, limit=limit, after=call.query.cursor)
        return Reply(
            [await view_of(session) for session in page],
            CursorMeta(limit=limit, next_cursor=cursor_of(following) if following else None),
        )

    async def end_user_sessions(call: Call[None]) -> Reply:
        actor = actor_of(call)
        await require_user(call.params.id, actor)
        return Reply(EndedSessions(ended=await sessions.revoke_all(call.params.id, actor)))

    async def end_user_session(call: Call[None]) -> Reply:
        actor = actor_of(call)
        await require_user(call.params.id, actor)
        await sessions.revoke(call.params.id, call.params.session_id, actor)
        return Reply()

    reads, writes = access.guard(UsersScope.READ_SESSIONS), access.guard(UsersScope.WRITE_SESSIONS)
    return (
        Endpoint(
            method="GET",
            path=PATH,
            handler=list_user_sessions,
            tag=TAG,
            summary="List the live sessions of a user",
            success=(Success(data=list[SessionView], meta=CursorMeta),),
            guard=reads,
            params=UserPath,
            query=SessionsQuery,
            failures=(UserNotFound,),
        ),
        Endpoint(
            method="DELETE",
            path=PATH,
            handler=end_user_sessions,
            tag=TAG,
            summary="Sign a user out everywhere",
            success=(Success(message="Sessions ended", data=EndedSessions),),
            guard=writes,
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound),
        ),
        Endpoint(
            method="DELETE",
            path=f"{PATH}/{{sessionId}}",
            handler=end_user_session,
            tag=TAG,
            summary="Sign a user out on one device",
            success=(Success(message="Session ended"),),
            guard=writes,
            params=UserSessionPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound, SessionNotFound),
        ),
    )
