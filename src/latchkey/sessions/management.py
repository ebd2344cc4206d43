"""Lists and ends sessions, for their user and for operators."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.sessions import queries
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.list_queries import ListedSession, Place, live_of_user
from latchkey.sessions.queries import EndedBy, EndedSession

PAGE_MAX = 100


class SessionManager:
    """Lists and ends sessions, for the endpoints and for the command line."""

    def __init__(self, database: Database, audit: AuditLog, ender: SessionEnder) -> None:
        self._database = database
        self._audit = audit
        self._ender = ender

    async def page(self, user_id: int, *, limit: int, after: Place | None) -> tuple[list[ListedSession], Place | None]:
        """Returns a page of a user's live sessions, newest use first, and the place of the next page; None: the last
        page.

        A session that is refreshed meanwhile moves to the front of the list.
        """
        found = await live_of_user(self._database, user_id, limit + 1, after)
        shown = found[:limit]
        return shown, Place(shown[-1].last_used_at, shown[-1].id) if len(found) > limit else None

    async def live(self, user_id: int) -> list[ListedSession]:
        """Returns all live sessions of a user, newest use first."""
        sessions, after = await self.page(user_id, limit=PAGE_MAX, after=None)
        while after is not None:
            more, after = await self.page(user_id, limit=PAGE_MAX, after=after)
            sessions += more
        return sessions

    async def revoke(self, user_id: int, session_id: UUID, actor: Actor) -> None:
        """Ends a live session of that user. Raises SessionNotFound."""
        ended = await self._revoke(
            user_id, actor, lambda change: self._ender.end_one(change, user_id, session_id, EndedBy.REVOKED)
        )
        if not ended:
            raise SessionNotFound

    async def revoke_all(self, user_id: int, actor: Actor, *, keep: UUID | None = None) -> int:
        """Ends all live sessions of that user except `keep`, and returns their number."""
        return len(
            await self._revoke(
                user_id, actor, lambda change: self._ender.end_all(change, user_id, EndedBy.REVOKED, keep=keep)
            )
        )

    async def _revoke(
        self, user_id: int, actor: Actor, end: Callable[[Change], Awaitable[list[EndedSession]]]
    ) -> list[EndedSession]:
        async def revoke(change: Change) -> list[EndedSession]:
            await queries.lock_user(change.connection, user_id)
            ended = await end(change)
            if ended:
                details = {"revoked": [str(session.id) for session in ended]}
                await change.record(actor.event(SessionAction.SESSION_REVOKED, user_id, details=details))
            return ended

        return await self._audit.change(revoke)
