"""The feed of ended sessions: how an instance knows, without asking, that an access token's session is over.

Whoever ends a session notifies every instance in the same transaction (PostgreSQL LISTEN/NOTIFY). An instance believes
its map only while it has proof that notifications reach it: a heartbeat on the very connection that listens. Without
that proof each request asks the database, so a feed that is cut costs statements, never a session that lives on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID, uuid4

import asyncpg
import structlog

from latchkey.database.pool import LOST, REFUSED, DatabaseUnavailable
from latchkey.sessions import queries

BEAT_EVERY_SECONDS = 0.5
BEAT_DEADLINE_SECONDS = 1.0
# Less than the 2 s that the contract allows: from the last proof on, nothing that comes later is known.
PROVEN_FOR_SECONDS = 1.5
RETRY_SECONDS = 0.2
# An access token lives 300 s; the rest is for clocks that differ. Counted from arrival, by our own clock.
KEPT_SECONDS = 360.0
log = structlog.get_logger(__name__)


class EndedSessions:
    """Ids of sessions that ended lately, by the time they were heard of (`stopwatch` seconds)."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._heard_at: dict[UUID, float] = {}

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._heard_at

    def add(self, session_ids: Iterable[UUID]) -> None:
        """Remembers them for longer than any access token of theirs lives."""
        now = self._stopwatch()
        for session_id in session_ids:
            # Taken out first: a dictionary keeps the order of first insertion, which `forget` relies on.
            self._heard_at.pop(session_id, None)
            self._heard_at[session_id] = now

    def forget_old(self) -> None:
        """Drops what no access token can name any more."""
        oldest = self._stopwatch() - KEPT_SECONDS
        while self._heard_at:
            session_id = next(iter(self._heard_at))
            if self._heard_at[session_id] >= oldest:
                return
            del self._heard_at[session_id]


class RevocationFeed:
    """Keeps `ended` up to date. `connect` opens the connection to listen on."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        ended: EndedSessions,
        stopwatch: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._ended = ended
        self._stopwatch = stopwatch
        self._proven_at: float | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether what is not in the map has not ended: looked at anew for every request."""
        return self._proven_at is not None and self._stopwatch() - self._proven_at <= PROVEN_FOR_SECONDS

    async def run(self) -> None:
        """Listens until cancelled, connecting again whenever the connection is lost or silent."""
        while True:
            try:
                connection = await self._connect()
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                await self._listen(connection)
            except (*LOST, *REFUSED, asyncpg.PostgresError) as error:
                log.warning("the feed of ended sessions is cut: each request asks", cause=type(error).__name__)
            finally:
                self._proven_at = None
                connection.terminate()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        echo = str(uuid4())
        echoed = asyncio.Event()

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if payload == echo:
                echoed.set()
            else:
                self._ended.add([UUID(str(payload))])

        # Listening first: what ends between the two is heard, what ended before is read.
        await connection.add_listener(queries.ENDED_CHANNEL, hear)
        await queries.notify_ended(connection, echo)
        async with asyncio.timeout(BEAT_DEADLINE_SECONDS):
            # Behind a pooler that shares connections, LISTEN succeeds and nothing ever arrives.
            await echoed.wait()
        self._ended.add(await queries.ended_lately(connection))
        while True:
            sent_at = self._stopwatch()
            # PostgreSQL delivers what it has before it answers: the answer proves all that was committed before.
            await connection.fetchval("SELECT 1", timeout=BEAT_DEADLINE_SECONDS)
            self._proven_at = sent_at
            self._ended.forget_old()
            await asyncio.sleep(BEAT_EVERY_SECONDS)
