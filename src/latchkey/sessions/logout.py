"""Logout: ends the sessions whose tokens a client presents."""

from uuid import UUID

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.origin import Origin
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy


class Logout:
    """Signs a client out."""

    def __init__(self, audit: AuditLog, ender: SessionEnder) -> None:
        self._audit = audit
        self._ender = ender

    async def end(self, session_ids: list[UUID], origin: Origin) -> None:
        """Ends those of the sessions that are live, with one LOGOUT row for each."""
        if not session_ids:
            return

        async def end_named(change: Change) -> None:
            for ended in await self._ender.end(change, session_ids, EndedBy.LOGOUT):
                await change.record(Event(SessionAction.LOGOUT, ended.user_id, ended.user_id, origin, ended.id))

        await self._audit.change(end_named)
