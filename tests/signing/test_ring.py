"""The key ring by itself: what it knows when, by the database's clock, and what it does with keys that do not open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from latchkey.clock import stopwatch
from latchkey.database.pool import Database, DatabaseUnavailable, open_database
from latchkey.sealing import Sealer
from latchkey.signing.keys import Algorithm
from latchkey.signing.ring import (
    EVERY_SECONDS,
    HS256_GRACE_SECONDS,
    LOOK_AGAIN_SECONDS,
    KeyRing,
    KeysUnknown,
    UnreadableKeys,
)
from tests.kit.key_rows import add_key
from tests.kit.server import REFRESH_SECRET
from tests.kit.stored import Sql

OTHER_SECRET = "another-refresh-secret-of-the-tests-0123456789"
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
PATIENCE_SECONDS = 30.0


class Watch:
    """A stopwatch that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counting:
    """Counts the reads of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        self.reads += 1
        return await self._database.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        raise NotImplementedError

    async def fetchval(self, query: str, *args: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def reading(database: str) -> AsyncIterator[Counting]:
    """The database of the test, whose reads are counted."""
    pool = await open_database(database, production=False)
    yield Counting(pool)
    await pool.close()


@pytest.fixture
def ring(reading: Counting, watch: Watch) -> KeyRing:
    return KeyRing(reading, Sealer(REFRESH_SECRET), watch)


@asynccontextmanager
async def running(ring: KeyRing, feed_is_healthy: Callable[[], bool]) -> AsyncIterator[None]:
    """Runs the ring meanwhile."""
    task = asyncio.create_task(ring.run(feed_is_healthy))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    """Waits for it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 what it waits for is no event of this test's
            await asyncio.sleep(0.005)


def kid_of(ring: KeyRing) -> str | None:
    """Returns the kid of the signer; None for HS256."""
    signer = ring.signer()
    return signer.kid if signer else None


def lists(ring: KeyRing, number: int) -> bool:
    """Tells whether the keys are known and are so many."""
    try:
        return len(ring.public_jwks()) == number
    except KeysUnknown:
        return False


async def test_nothing_is_known_before_the_first_load(watch: Watch) -> None:
    """Then a request is told to come again, not that its token is bad."""
    database = await open_database(NOWHERE, production=False)
    ring = KeyRing(database, Sealer(REFRESH_SECRET), watch)
    for ask in (ring.signer, ring.public_jwks, ring.accepts_hs256, lambda: ring.find("x")):
        with pytest.raises(KeysUnknown):
            ask()
    for load in (ring.load, ring.look_again, ring.look_again):
        with pytest.raises(DatabaseUnavailable):
            await load()
    assert issubclass(KeysUnknown, DatabaseUnavailable)
    await database.close()


async def test_without_keys_hs256_signs(ring: KeyRing) -> None:
    await ring.load()
    assert ring.signer() is None
    assert ring.accepts_hs256()
    assert ring.public_jwks() == []
    assert ring.find("x") is None


async def test_a_key_takes_over_and_leaves_at_its_time(
    ring: KeyRing, reading: Counting, watch: Watch, own_sql: Sql
) -> None:
    """By the stopwatch, without another read."""
    old = add_key(own_sql, signs_in=-7_200, leaves_in=1_000)
    new = add_key(own_sql, signs_in=100, alg=Algorithm.EDDSA)
    await ring.load()
    assert kid_of(ring) == old
    assert [jwk["kid"] for jwk in ring.public_jwks()] == [old, new]
    found = ring.find(new)
    assert found is not None
    assert (found.alg, found.key.is_private) == ("EdDSA", False)

    watch.now += 100
    assert kid_of(ring) == new
    assert ring.find(old) is not None
    watch.now += 900
    assert ring.find(old) is None
    assert [jwk["kid"] for jwk in ring.public_jwks()] == [new]
    assert reading.reads == 1


async def test_hs256_is_good_for_ten_minutes_more(ring: KeyRing, watch: Watch, own_sql: Sql) -> None:
    """From when the first key begins to sign, not from when it is made."""
    add_key(own_sql, signs_in=100)
    await ring.load()
    watch.now += 100 + HS256_GRACE_SECONDS - 1
    assert ring.accepts_hs256()
    watch.now += 2
    assert not ring.accepts_hs256()


async def test_a_first_key_that_has_left_ended_hs256_all_the_same(ring: KeyRing, own_sql: Sql) -> None:
    add_key(own_sql, signs_in=-9_000, leaves_in=-1_000)
    await ring.load()
    assert not ring.accepts_hs256()
    assert ring.public_jwks() == []


async def test_a_key_that_was_retired_while_it_waited_ends_nothing(ring: KeyRing, own_sql: Sql) -> None:
    add_key(own_sql, signs_in=-9_000, leaves_in=-9_100)
    await ring.load()
    assert ring.signer() is None
    assert ring.accepts_hs256()


async def test_keys_of_another_purpose_are_not_these(ring: KeyRing, own_sql: Sql) -> None:
    """Nobody takes an ID token for an access token."""
    other = add_key(own_sql, signs_in=-10, purpose="oidc", alg=Algorithm.ES256)
    await ring.load()
    assert ring.signer() is None
    assert ring.find(other) is None
    assert ring.public_jwks() == []


async def test_a_key_that_does_not_open_is_named_and_the_one_before_signs(ring: KeyRing, own_sql: Sql) -> None:
    """What it has signed elsewhere verifies here."""
    old = add_key(own_sql, signs_in=-9_000, leaves_in=7_000)
    closed = add_key(own_sql, signs_in=-200, secret=OTHER_SECRET)
    with pytest.raises(UnreadableKeys) as refused:
        await ring.load()
    assert refused.value.kids == (closed,)
    assert closed in str(refused.value)
    assert "latchkey keys init --discard-unreadable" in str(refused.value)
    assert kid_of(ring) == old
    assert ring.find(closed) is not None


async def test_nothing_is_signed_with_a_secret_instead_of_a_key_that_does_not_open(ring: KeyRing, own_sql: Sql) -> None:
    closed = add_key(own_sql, signs_in=-200, secret=OTHER_SECRET)
    with pytest.raises(UnreadableKeys):
        await ring.load()
    with pytest.raises(KeysUnknown):
        ring.signer()
    assert ring.find(closed) is not None


async def test_a_key_that_has_left_need_not_open(ring: KeyRing, own_sql: Sql) -> None:
    add_key(own_sql, signs_in=-9_000, leaves_in=-1, secret=OTHER_SECRET)
    kid = add_key(own_sql, signs_in=-8_000)
    await ring.load()
    assert kid_of(ring) == kid


async def test_a_running_instance_keeps_a_key_that_another_one_has_sealed_again(
    ring: KeyRing, own_sql: Sql, reading: Counting, watch: Watch
) -> None:
    """It goes on to sign, and reports the key."""
    kid = add_key(own_sql, signs_in=-200)
    await ring.load()
    own_sql.execute("UPDATE signing_keys SET private_sealed = '\\x01'")
    with pytest.raises(UnreadableKeys):
        await ring.load()
    assert kid_of(ring) == kid
    with pytest.raises(UnreadableKeys):
        await KeyRing(reading, Sealer(REFRESH_SECRET), watch).load()


async def test_an_erased_key_verifies_and_does_not_sign(ring: KeyRing, own_sql: Sql) -> None:
    old = add_key(own_sql, signs_in=-9_000)
    own_sql.execute("UPDATE signing_keys SET private_sealed = NULL")
    new = add_key(own_sql, signs_in=-700)
    await ring.load()
    assert kid_of(ring) == new
    assert ring.find(old) is not None


async def test_many_with_an_unknown_kid_cause_one_read_in_five_seconds(
    ring: KeyRing, reading: Counting, watch: Watch, own_sql: Sql
) -> None:
    await ring.load()
    kid = add_key(own_sql, signs_in=3_600)
    await asyncio.gather(*(ring.look_again() for _ in range(50)))
    assert ring.find(kid) is not None
    assert reading.reads == 2
    watch.now += LOOK_AGAIN_SECONDS - 0.1
    await ring.look_again()
    assert reading.reads == 2
    watch.now += 0.1
    await ring.look_again()
    assert reading.reads == 3


async def test_a_cancelled_caller_does_not_cancel_the_look_of_others(ring: KeyRing, own_sql: Sql) -> None:
    await ring.load()
    kid = add_key(own_sql, signs_in=3_600)
    one, other = asyncio.create_task(ring.look_again()), asyncio.create_task(ring.look_again())
    await asyncio.sleep(0)
    one.cancel()
    await other
    assert ring.find(kid) is not None


async def test_a_change_is_told_once(ring: KeyRing, own_sql: Sql) -> None:
    told: list[bool] = []
    ring.on_change(lambda: told.append(True))
    await ring.load()
    before = len(told)
    await ring.load()
    assert len(told) == before
    add_key(own_sql, signs_in=0)
    await ring.load()
    await ring.load()
    assert len(told) == before + 1
    own_sql.execute("UPDATE signing_keys SET leaves_at = now()")
    await ring.load()
    assert len(told) == before + 2


async def test_reads_when_told_and_every_minute(ring: KeyRing, reading: Counting, watch: Watch, own_sql: Sql) -> None:
    async with running(ring, lambda: True):
        await until(lambda: lists(ring, 0))
        add_key(own_sql, signs_in=3_600)
        ring.hear("api_key x")
        ring.hear("signing_keys")
        await until(lambda: lists(ring, 1))
        assert reading.reads == 2
        ring.hear("")
        await until(lambda: reading.reads == 3)
        watch.now += EVERY_SECONDS
        await until(lambda: reading.reads == 4)


async def test_reads_again_and_again_while_the_feed_is_cut(reading: Counting, own_sql: Sql) -> None:
    """Nobody tells of a change then."""
    ring = KeyRing(reading, Sealer(REFRESH_SECRET), stopwatch)
    async with running(ring, lambda: False):
        await until(lambda: reading.reads >= 2)
        add_key(own_sql, signs_in=3_600)
        await until(lambda: lists(ring, 1))


async def test_reads_as_soon_as_the_feed_is_cut(ring: KeyRing, reading: Counting, watch: Watch, own_sql: Sql) -> None:
    """The last read was long ago, and the second after it is over."""
    is_healthy = True
    async with running(ring, lambda: is_healthy):
        await until(lambda: lists(ring, 0))
        watch.now += 30
        add_key(own_sql, signs_in=3_600)
        is_healthy = False
        await until(lambda: lists(ring, 1))
        assert reading.reads == 2


async def test_waits_for_a_database_that_is_away(database: str, own_sql: Sql) -> None:
    """And goes on when it is back."""
    pool = await open_database(database, production=False)

    class Away(Counting):
        async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
            rows = await super().fetch(query, *args)
            if self.reads < 3:
                raise DatabaseUnavailable("away")
            return rows

    away = Away(pool)
    ring = KeyRing(away, Sealer(REFRESH_SECRET), stopwatch)
    kid = add_key(own_sql, signs_in=-1)
    async with running(ring, lambda: True):
        await until(lambda: lists(ring, 1))
        assert away.reads == 3
        assert kid_of(ring) == kid
    await pool.close()
