"""The feed of ended sessions: tells an instance, without a query, that an access token's session has ended.

Ending a session notifies every instance in the same transaction (PostgreSQL LISTEN/NOTIFY). An instance trusts its map
only while a heartbeat on the listening connection proves that notifications arrive. Without that proof, each request
asks the database. So a broken feed costs queries, but never keeps an ended session alive.

The same connection hears that something else has changed which instances keep in memory: see `on_changed`.
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
from latchkey.database.queries import CHANGED_CHANNEL
from latchkey.sessions import queries

BEAT_EVERY_SECONDS = 0.5
BEAT_DEADLINE_SECONDS = 1.0
SETUP_SECONDS = 5.0
# Below the 2 s for which an ended session may be accepted: a notification after the last proof may be unknown.
PROVEN_FOR_SECONDS = 1.5
RETRY_SECONDS = 0.2
# The pause after a connection on which no notification arrives, as behind a pooler. That seldom changes soon.
SILENT_RETRY_SECONDS = 2.0
# An access token lives at most 3 600 s, by whatever setting an instance has or had. The rest allows for clocks that
# differ. Counted from arrival, by this machine's clock.
KEPT_SECONDS = 3_660.0
log = structlog.get_logger(__name__)

Note = Callable[[bool], Awaitable[None]]


async def _nobody(_: bool) -> None:
    """Ignores what the feed reports about poolers."""


class EndedSessions:
    """The ids of recently ended sessions, by the time that this instance learned of them (`stopwatch` seconds)."""

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        # Oldest first. A plain dictionary would pass all deleted entries to find the first one.
        self._heard_at: OrderedDict[UUID, float] = OrderedDict()
        self._next = asyncio.Event()

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._heard_at

    def add(self, session_ids: Iterable[UUID]) -> None:
        """Stores the ids for longer than any access token of these sessions lives."""
        now = self._stopwatch()
        heard = False
        for session_id in session_ids:
            heard = True
            self._heard_at[session_id] = now
            self._heard_at.move_to_end(session_id)
        if heard:
            self._next.set()
            self._next = asyncio.Event()
        # Cleans up here, too: while the feed is broken, nothing else limits the sessions that this instance ended.
        self.forget_old()

    def next_ending(self) -> asyncio.Event:
        """Returns an event that is set when this instance next learns of an ending."""
        return self._next

    def forget_old(self) -> None:
        """Drops the ids that no live access token can name."""
        oldest = self._stopwatch() - KEPT_SECONDS
        while self._heard_at and next(iter(self._heard_at.values())) < oldest:
            self._heard_at.popitem(last=False)


class RevocationFeed:
    """Keeps `ended` up to date. `connect` opens the listening connection.

    `note` learns whether a pooler is known to lend connections for whole sessions.
    """

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
        self._on_changed: list[Callable[[str], None]] = []

    @property
    def is_healthy(self) -> bool:
        """Tells whether a session that is not in the map is live. Computed for each request."""
        return self._proven_at is not None and self._stopwatch() - self._proven_at <= PROVEN_FOR_SECONDS

    def next_ending(self) -> asyncio.Event:
        """Returns an event that is set when this instance next learns of an ending, also of one that it made."""
        return self._ended.next_ending()

    def on_changed(self, handler: Callable[[str], None]) -> None:
        """Calls `handler` with the payload of each notification about a change.

        Calls it with "" after each connection, before the feed is healthy: it may have missed any change.
        """
        self._on_changed.append(handler)

    async def run(self) -> None:
        """Listens until cancelled. Reconnects when the connection is lost or silent."""
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

        def hear_change(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            self._changed(str(payload))

        connection.add_termination_listener(self._lost)
        other: asyncpg.Connection | None = None
        try:
            async with asyncio.timeout(SETUP_SECONDS):
                other = await self._connect()
                behind_pooler = not await is_direct(connection)
                if behind_pooler and await is_lent_by_transaction(connection, other):
                    # Before LISTEN, which would stay on a server process that another client gets next.
                    raise _NothingArrives
                # Listens first, then reads: a session that ends in between is heard, and one that ended before is read.
                await connection.add_listener(queries.ENDED_CHANNEL, hear)
                await connection.add_listener(CHANGED_CHANNEL, hear_change)
                await echo.prove(other)
                self._ended.add(await queries.ended_lately(connection))
                self._changed("")
                if behind_pooler:
                    await self._note(True)
                else:
                    await other.close(timeout=BEAT_DEADLINE_SECONDS)
            while True:
                sent_at = self._stopwatch()
                if behind_pooler:
                    # A pooler may be switched to lend by the transaction at any time, and would still answer.
                    await echo.prove(other)
                else:
                    # PostgreSQL delivers pending notifications before it answers, so the answer proves all earlier
                    # commits.
                    await connection.fetchval("SELECT 1", timeout=BEAT_DEADLINE_SECONDS)
                self._proven(sent_at)
                self._ended.forget_old()
                await asyncio.sleep(BEAT_EVERY_SECONDS)
        finally:
            if other is not None:
                other.terminate()

    def _changed(self, what: str) -> None:
        for handler in self._on_changed:
            handler(what)

    def _proven(self, sent_at: float) -> None:
        self._proven_at = sent_at
        if self._is_cut:
            self._is_cut = False
            log.info("the feed of ended sessions works again")

    def _lost(self, _connection: object) -> None:
        self._proven_at = None

    def _cut(self, cause: Exception) -> None:
        # Logged once, not at each retry.
        if not self._is_cut:
            self._is_cut = True
            said = str(cause) if isinstance(cause, _NothingArrives) else type(cause).__name__
            log.warning("the feed of ended sessions is cut: each request asks the database", cause=said)


class _Echo:
    """Proves that other connections' notifications arrive while this one is idle.

    Behind a pooler that lends connections by the transaction, LISTEN succeeds and a connection even hears its own
    notifications, but no others.
    """

    def __init__(self) -> None:
        self._awaited = ""
        self._heard = asyncio.Event()

    async def prove(self, other: asyncpg.Connection) -> None:
        """Sends a notification from `other` and waits until it arrives. Raises _NothingArrives."""
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
        """Tells whether the payload is the expected one."""
        if payload != self._awaited:
            return False
        self._heard.set()
        return True


class _NothingArrives(Exception):
    """PostgreSQL answers on the listening connection, but notifications do not arrive."""

    def __str__(self) -> str:
        return "notifications do not arrive, as behind a pooler that lends connections by the transaction"


def _session_id(payload: object) -> UUID | None:
    # Any database client can send any payload on the channel.
    try:
        return UUID(str(payload))
    except ValueError:
        return None
