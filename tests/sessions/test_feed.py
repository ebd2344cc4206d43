"""The feed of ended sessions by itself: what it keeps, for how long, and when it may be believed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from latchkey.sessions.claims import CLOCK_SKEW_SECONDS
from latchkey.sessions.feed import KEPT_SECONDS, PROVEN_FOR_SECONDS, EndedSessions, RevocationFeed
from latchkey.sessions.settings import SessionSettings
from latchkey.sessions.tokens import Lifetimes

PATIENCE_SECONDS = 10.0
ids = st.integers(0, 12).map(lambda number: UUID(int=number))
steps = st.lists(st.tuples(st.floats(0, KEPT_SECONDS), st.lists(ids, max_size=4)), max_size=30)


class Watch:
    """A stopwatch that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def test_bounds_fit_the_contract() -> None:
    """An ending is remembered for longer than any access token lives, by clocks
    that differ as much as tokens may; belief without news ends before the contract's two seconds."""
    longest = 3_600
    assert SessionSettings(access_token_seconds=longest).access_token_seconds == longest
    with pytest.raises(ValidationError):
        SessionSettings(access_token_seconds=longest + 1)
    assert longest + CLOCK_SKEW_SECONDS < KEPT_SECONDS
    assert PROVEN_FOR_SECONDS < 2
    defaults = SessionSettings()
    assert Lifetimes() == Lifetimes(defaults.access_token_seconds, defaults.refresh_token_hours * 3_600)


@given(steps)
def test_keeps_long_enough_and_no_longer(steps: list[tuple[float, list[UUID]]]) -> None:
    """What was heard, however often, is there until its
    last time is old enough, and what is older goes with the next that is heard."""
    watch = Watch()
    ended = EndedSessions(watch)
    heard_at: dict[UUID, float] = {}
    for pause, heard in steps:
        watch.now += pause
        ended.add(heard)
        heard_at |= dict.fromkeys(heard, watch.now)
        for session_id, at in heard_at.items():
            assert (session_id in ended) == (watch.now - at <= KEPT_SECONDS)


@given(steps)
def test_forgets_without_news_too(steps: list[tuple[float, list[UUID]]]) -> None:
    """A heartbeat is enough to drop what is old."""
    watch = Watch()
    ended = EndedSessions(watch)
    for pause, heard in steps:
        watch.now += pause
        ended.add(heard)
    watch.now += KEPT_SECONDS + 1
    ended.forget_old()
    assert not [session_id for _, heard in steps for session_id in heard if session_id in ended]


def test_ten_thousands_at_once() -> None:
    """All are known in one go, all are gone in one go, and forgetting them costs about what
    remembering them did: it happens on the event loop, where requests wait."""
    watch = Watch()
    ended = EndedSessions(watch)
    many = [uuid4() for _ in range(50_000)]
    began = time.process_time()
    ended.add(many)
    added = time.process_time()
    assert all(session_id in ended for session_id in many)
    watch.now += KEPT_SECONDS + 1
    forgetting = time.process_time()
    ended.forget_old()
    forgot = time.process_time()
    assert not any(session_id in ended for session_id in many)
    assert forgot - forgetting < 20 * (added - began)


async def test_an_ending_rings() -> None:
    """For all that wait by then, once; what adds nothing rings nothing."""
    ended = EndedSessions(Watch())
    first, second = ended.next_ending(), ended.next_ending()
    ended.add([])
    assert not first.is_set()
    ended.add([uuid4(), uuid4()])
    assert (first.is_set(), second.is_set(), ended.next_ending().is_set()) == (True, True, False)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 what it waits for is no event of this test's
            await asyncio.sleep(0.005)


def connecting(dsn: str, kind: type[asyncpg.Connection]) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Opens connections of that kind."""
    return lambda: asyncpg.connect(dsn, connection_class=kind)


async def running(feed: RevocationFeed, during: Callable[[], Awaitable[None]]) -> None:
    """Does something while the feed runs."""
    task = asyncio.create_task(feed.run())
    try:
        await during()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_belief_ends_by_itself(database: str) -> None:
    """How old the proof is, is looked at anew for each
    request, and nothing has to run for belief to end."""
    watch = Watch()
    feed = RevocationFeed(connecting(database, asyncpg.Connection), EndedSessions(watch), watch)
    assert not feed.is_healthy

    async def look() -> None:
        await until(lambda: feed.is_healthy)
        watch.now += PROVEN_FOR_SECONDS
        assert feed.is_healthy
        watch.now += 0.001
        assert not feed.is_healthy
        await until(lambda: feed.is_healthy)

    await running(feed, look)
    assert not feed.is_healthy, "after its end nobody is told anything"


async def test_a_proof_is_as_old_as_its_question(database: str) -> None:
    """What was committed after the question went out is not proved by its answer,
    however late that comes."""
    watch = Watch()
    asked = 0

    class Slow(asyncpg.Connection):
        async def fetchval(self, *args: Any, **options: Any) -> Any:
            nonlocal asked
            asked += 1
            answer = await super().fetchval(*args, **options)
            watch.now += PROVEN_FOR_SECONDS + 0.001
            return answer

    feed = RevocationFeed(connecting(database, Slow), EndedSessions(watch), watch)
    believed: list[bool] = []

    async def look() -> None:
        while asked < 3:
            await asyncio.sleep(0.005)
            believed.append(feed.is_healthy)

    await running(feed, look)
    assert not any(believed)


async def test_what_ended_before_is_read_before_belief(database: str) -> None:
    """While the endings of the last minutes are being read, and before, nobody
    believes; afterwards they are known, older ones are not needed."""
    watch = Watch()
    ended = EndedSessions(watch)
    lately, long_ago = uuid4(), uuid4()
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO users (id, name, email, password) VALUES (1, 'Siam', 'siam@example.com', '')")
        for session_id, ago in ((lately, "69 minutes"), (long_ago, "71 minutes")):
            connection.execute(
                "INSERT INTO sessions (id, user_id, token_hash, expires_at, ended_at)"
                " VALUES (%s, 1, sha256(''), now() + interval '1 day', now() - %s::interval)",
                [session_id, ago],
            )
    believed: list[bool] = []

    class Watched(asyncpg.Connection):
        async def fetch(self, *args: Any, **options: Any) -> Any:
            believed.append(feed.is_healthy)
            rows = await super().fetch(*args, **options)
            believed.append(feed.is_healthy)
            return rows

    feed = RevocationFeed(connecting(database, Watched), ended, watch)

    async def look() -> None:
        await until(lambda: feed.is_healthy)
        assert lately in ended
        assert long_ago not in ended

    await running(feed, look)
    assert believed
    assert not any(believed)


async def test_a_lost_connection_is_noticed_at_once(database: str) -> None:
    """When the connection is cut, belief ends with it."""
    watch = Watch()
    opened: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(database))
        return opened[-1]

    feed = RevocationFeed(connect, EndedSessions(watch), watch)

    async def look() -> None:
        await until(lambda: feed.is_healthy)
        opened[0].terminate()
        # The loop tells whoever listens for it in its next turns, long before the next heartbeat.
        async with asyncio.timeout(0.3):
            await until(lambda: not feed.is_healthy)
        await until(lambda: feed.is_healthy)

    await running(feed, look)


async def test_hears_of_changes(database: str) -> None:
    """A handler gets each payload in order, and "" for a new connection before anybody believes the feed."""
    watch = Watch()
    opened: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(database))
        return opened[-1]

    feed = RevocationFeed(connect, EndedSessions(watch), watch)
    heard: list[tuple[str, bool]] = []
    feed.on_changed(lambda what: heard.append((what, feed.is_healthy)))

    async def look() -> None:
        await until(lambda: feed.is_healthy)
        assert heard == [("", False)]
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            for what in ("signing_keys", "api_key x"):
                await other.execute("SELECT pg_notify('latchkey_changed', %s)", [what])
        await until(lambda: heard[1:] == [("signing_keys", True), ("api_key x", True)])
        opened[0].terminate()
        await until(lambda: heard[3:] == [("", False)])
        await until(lambda: feed.is_healthy)

    await running(feed, look)
