"""The feed of ended sessions: how an instance knows, without asking, that an access token's session is over.

Whoever ends a session notifies every instance in the same transaction (PostgreSQL LISTEN/NOTIFY). An instance believes
its map only while it has proof that notifications reach it: a heartbeat on the very connection that listens. Without
that proof each request asks the database, so a feed that is cut costs statements, never a session that lives on.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID, uuid4

import asyncpg
import structlog

from latchkey.database.pool import LOST, REFUSED, DatabaseUnavailable
from latchkey.database.pooler import is_lent_by_transaction
from latchkey.database.pooler_queries import is_direct
from latchkey.sessions import queries

BEAT_EVERY_SECONDS = 0.5
BEAT_DEADLINE_SECONDS = 1.0
SETUP_SECONDS = 5.0
# Less than the 2 s that an ended session may be accepted for: from the last proof on, nothing that comes later is known.
PROVEN_FOR_SECONDS = 1.5
RETRY_SECONDS = 0.2
# After a connection on which nothing arrives, as behind a pooler: that will not change soon.
SILENT_RETRY_SECONDS = 2.0
# An access token lives 3 600 s at most, whatever this instance's setting says: others, or this one a minute ago, may have
# another. The rest is for clocks that differ. Counted from arrival, by our own clock.
KEPT_SECONDS = 3_660.0
log = structlog.get_logger(__name__)

Note = Callable[[bool], Awaitable[None]]


async def _nobody(_: bool) -> None:
    """Where nobody wants to know."""


class EndedSessions:
    """Ids of sessions that ended lately, by the time they were heard of (`stopwatch` seconds)."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        # Oldest first. Not a plain dictionary: to find the first entry that one passes all those deleted before it.
        self._heard_at: OrderedDict[UUID, float] = OrderedDict()

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._heard_at

    def add(self, session_ids: Iterable[UUID]) -> None:
        """Remembers them for longer than any access token of theirs lives."""
        now = self._stopwatch()
        for session_id in session_ids:
            self._heard_at[session_id] = now
            self._heard_at.move_to_end(session_id)
        # Here, too: while the feed is cut nothing else bounds what this instance itself has ended.
        self.forget_old()

    def forget_old(self) -> None:
        """Drops what no access token can name any more."""
        oldest = self._stopwatch() - KEPT_SECONDS
        while self._heard_at and next(iter(self._heard_at.values())) < oldest:
            self._heard_at.popitem(last=False)


class RevocationFeed:
    """Keeps `ended` up to date. `connect` opens the connection to listen on. `note` is told whether a pooler on the way
    is known to lend connections for a session each."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        ended: EndedSessions,
        stopwatch: Callable[[], float],
        note: Note = _nobody,
    ) -> None:
        self._connect = connect
        self._ended = ended
        self._stopwatch = stopwatch
        self._note = note
        self._proven_at: float | None = None
        self._is_cut = False

    @property
    def is_healthy(self) -> bool:
        """Whether what is not in the map has not ended: looked at anew for every request."""
        return self._proven_at is not None and self._stopwatch() - self._proven_at <= PROVEN_FOR_SECONDS

    async def run(self) -> None:
        """Listens until cancelled, connecting again whenever the connection is lost or silent."""
        while True:
            try:
                connection = await self._connect()
            except DatabaseUnavailable as error:
                self._cut(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            pause = RETRY_SECONDS
            try:
                await self._listen(connection)
            except _NothingArrives as error:
                self._cut(error)
                pause = SILENT_RETRY_SECONDS
            except (*LOST, *REFUSED, asyncpg.PostgresError, DatabaseUnavailable) as error:
                self._cut(error)
            finally:
                self._proven_at = None
                connection.terminate()
            await self._note(False)
            await asyncio.sleep(pause)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        echo = _Echo()

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if not echo.hear(payload) and (session_id := _session_id(payload)):
                self._ended.add([session_id])

        connection.add_termination_listener(self._lost)
        other: asyncpg.Connection | None = None
        try:
            async with asyncio.timeout(SETUP_SECONDS):
                other = await self._connect()
                behind_pooler = not await is_direct(connection)
                if behind_pooler and await is_lent_by_transaction(connection, other):
                    # Before LISTEN, which would stay on a server process that is somebody else's next.
                    raise _NothingArrives
                # Listening first: what ends between the two is heard, what ended before is read.
                await connection.add_listener(queries.ENDED_CHANNEL, hear)
                await echo.prove(other)
                self._ended.add(await queries.ended_lately(connection))
                if behind_pooler:
                    await self._note(True)
                else:
                    await other.close(timeout=BEAT_DEADLINE_SECONDS)
            while True:
                sent_at = self._stopwatch()
                if behind_pooler:
                    # It may be told to lend by the transaction from now on, and would go on answering.
                    await echo.prove(other)
                else:
                    # PostgreSQL delivers what it has before it answers: the answer proves all that was committed before.
                    await connection.fetchval("SELECT 1", timeout=BEAT_DEADLINE_SECONDS)
                self._proven(sent_at)
                self._ended.forget_old()
                await asyncio.sleep(BEAT_EVERY_SECONDS)
        finally:
            if other is not None:
                other.terminate()

    def _proven(self, sent_at: float) -> None:
        self._proven_at = sent_at
        if self._is_cut:
            self._is_cut = False
            log.info("the feed of ended sessions works again")

    def _lost(self, _connection: object) -> None:
        self._proven_at = None

    def _cut(self, cause: Exception) -> None:
        # Once, not at each of the attempts that follow.
        if not self._is_cut:
            self._is_cut = True
            said = str(cause) if isinstance(cause, _NothingArrives) else type(cause).__name__
            log.warning("the feed of ended sessions is cut: each request asks", cause=said)


class _Echo:
    """Proves that what others say arrives while this end is silent: behind a pooler that lends connections by the
    transaction, LISTEN succeeds and one even hears oneself, but nobody else."""

    def __init__(self) -> None:
        self._awaited = ""
        self._heard = asyncio.Event()

    async def prove(self, other: asyncpg.Connection) -> None:
        """Has `other` say something, and waits until it is heard. Raises _NothingArrives."""
        self._awaited = f"echo {uuid4()}"
        self._heard.clear()
        async with asyncio.timeout(BEAT_DEADLINE_SECONDS):
            await queries.notify_ended(other, self._awaited)
        try:
            async with asyncio.timeout(BEAT_DEADLINE_SECONDS):
                await self._heard.wait()
        except TimeoutError:
            raise _NothingArrives from None

    def hear(self, payload: object) -> bool:
        """Whether that is what is awaited."""
        if payload != self._awaited:
            return False
        self._heard.set()
        return True


class _NothingArrives(Exception):
    """PostgreSQL answers on the connection that listens, but notifications do not come through."""

    def __str__(self) -> str:
        return "notifications do not arrive, as behind a pooler that lends connections by the transaction"


def _session_id(payload: object) -> UUID | None:
    # Anybody with a connection to the database can say anything on the channel.
    try:
        return UUID(str(payload))
    except ValueError:
        return None
