"""Ends sessions, in the transaction of the change that ends them.

The transaction notifies every instance. This instance knows of the ending before the change is answered.
"""

from uuid import UUID

from latchkey.audit.record import Change
from latchkey.sessions import queries
from latchkey.sessions.feed import EndedSessions
from latchkey.sessions.queries import EndedBy, EndedSession, ProvenSessions


class SessionEnder:
    """Ends live sessions.

    A caller that ends all sessions of a user, or the oldest, has locked the user's row first: one order, no deadlock. A
    logout has not: it locks its session only, and its audit row refers to the user, which that lock allows.
    """

    def __init__(self, ended: EndedSessions) -> None:
        self._ended = ended

    async def end(self, change: Change, session_ids: list[UUID], reason: EndedBy) -> list[EndedSession]:
        """Ends those of the sessions that are live, of any user, and returns them."""
        return self._known(change, await queries.end(change.connection, session_ids, reason))

    async def end_proven(self, change: Change, proven: ProvenSessions, reason: EndedBy) -> list[EndedSession]:
        """Ends those of the proven sessions that are live, of any user, and returns them."""
        return self._known(change, await queries.end_proven(change.connection, proven, reason))

    async def end_all(
        self, change: Change, user_id: int, reason: EndedBy, *, keep: UUID | None = None
    ) -> list[EndedSession]:
        """Ends all sessions of a user except `keep`, and returns them."""
        return self._known(change, await queries.end_all(change.connection, user_id, reason, keep))

    async def end_one(self, change: Change, user_id: int, session_id: UUID, reason: EndedBy) -> list[EndedSession]:
        """Ends that session if it is the user's, and returns it."""
        return self._known(change, await queries.end_one(change.connection, user_id, session_id, reason))

    async def end_oldest(self, change: Change, user_id: int, *, leaving: int) -> list[EndedSession]:
        """Ends the oldest sessions of a user until `leaving` are left, and returns the ended ones."""
        return self._known(change, await queries.end_oldest(change.connection, user_id, leaving))

    def _known(self, change: Change, ended: list[EndedSession]) -> list[EndedSession]:
        if ended:
            change.on_commit(lambda: self._ended.add(session.id for session in ended))
        return ended
