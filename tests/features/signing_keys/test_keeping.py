"""What instances do by themselves: rotate in time, erase private parts, and seal again after a change of the secret."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql as compose

from latchkey.audit.record import AuditLog
from latchkey.clock import stopwatch
from latchkey.database.pool import Database, open_database
from latchkey.features.signing_keys.keeper import KeyKeeper
from latchkey.features.signing_keys.lifecycle import ERASE_SECONDS, LEAVE_SECONDS, WAIT_SECONDS, SigningKeys
from latchkey.sealing import Sealer
from latchkey.signing.ring import KeyRing, KeysUnknown
from tests.kit.key_rows import add_key, age_keys, key_events, key_rows, listed_by, until_listed
from tests.kit.server import REFRESH_SECRET, Server
from tests.kit.stored import Sql
from tests.kit.waiting import SECONDS, eventually

DAY = 86_400
OLD_SECRET = "old-refresh-secret-of-the-tests-0123456789abc"
Make = Callable[..., SigningKeys]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Database]:
    opened = await open_database(database, production=False)
    yield opened
    await opened.close()


@pytest.fixture
def keys(pool: Database) -> SigningKeys:
    """What an instance keeps its keys with, whose days are 180."""
    return of_secrets(pool, REFRESH_SECRET)


def of_secrets(pool: Database, current: str, *accepted: str) -> SigningKeys:
    """Returns the same for other secrets."""
    return SigningKeys(pool, AuditLog(pool, required=True), Sealer(current, accepted), days=180)


def sealed(sql: Sql) -> list[str]:
    """Returns the kids whose private part is stored."""
    return [row["kid"] for row in key_rows(sql) if row["private_sealed"] is not None]


async def test_a_key_signs_for_its_days(keys: SigningKeys, own_sql: Sql) -> None:
    """Then the next one is made, which signs an hour later; once, whoever looks."""
    kid = add_key(own_sql, signs_in=-180 * DAY + 60)
    await keys.tend()
    assert [row["kid"] for row in key_rows(own_sql)] == [kid]
    age_keys(own_sql, seconds=61)
    await asyncio.gather(*(keys.tend() for _ in range(8)))
    old, new = key_rows(own_sql)
    assert old["kid"] == kid
    assert WAIT_SECONDS - 60 < new["signs_in"] <= WAIT_SECONDS
    assert abs(old["leaves_in"] - new["signs_in"] - LEAVE_SECONDS) < 0.001
    assert key_events(own_sql) == [(new["kid"], "created")]


async def test_a_key_that_does_not_open_is_not_rotated(keys: SigningKeys, own_sql: Sql) -> None:
    """This instance has the wrong secret, and others could not open the next key."""
    kid = add_key(own_sql, signs_in=-200 * DAY, secret=OLD_SECRET)
    await keys.tend()
    assert [row["kid"] for row in key_rows(own_sql)] == [kid]


async def test_hs256_is_not_rotated(keys: SigningKeys, own_sql: Sql) -> None:
    await keys.tend()
    assert key_rows(own_sql) == []


async def test_private_parts_are_erased_ten_minutes_after_they_were_needed(keys: SigningKeys, own_sql: Sql) -> None:
    """By then every instance signs by the next key. The public part verifies on."""
    old = add_key(own_sql, signs_in=-9_000, leaves_in=LEAVE_SECONDS)
    new = add_key(own_sql, signs_in=-1)
    await keys.tend()
    assert sealed(own_sql) == [old, new]
    age_keys(own_sql, seconds=ERASE_SECONDS)
    await keys.tend()
    assert sealed(own_sql) == [new]
    assert [row["kid"] for row in key_rows(own_sql)] == [old, new]


async def test_a_key_that_waits_erases_nothing(keys: SigningKeys, own_sql: Sql) -> None:
    signer = add_key(own_sql, signs_in=-9_000, leaves_in=9_000)
    waiting = add_key(own_sql, signs_in=1_800)
    await keys.tend()
    assert sealed(own_sql) == [signer, waiting]
    await keys.retire(waiting)
    age_keys(own_sql, seconds=9_000)
    await keys.tend()
    assert sealed(own_sql) == [signer]


async def test_keys_are_sealed_again_under_the_current_secret(pool: Database, own_sql: Sql) -> None:
    """So the old secret can be dropped afterwards."""
    kids = [add_key(own_sql, signs_in=-60, secret=OLD_SECRET), add_key(own_sql, signs_in=1_800, secret=OLD_SECRET)]
    await asyncio.gather(*(of_secrets(pool, REFRESH_SECRET, OLD_SECRET).seal_again() for _ in range(4)))
    assert sealed(own_sql) == kids
    sealer = Sealer(REFRESH_SECRET)
    for row in key_rows(own_sql):
        assert sealer.is_current(row["private_sealed"])
        place = {"table": "signing_keys", "column": "private_sealed", "key": row["kid"]}
        assert b'"d"' in sealer.open(row["private_sealed"], **place)


async def test_what_does_not_open_is_left_as_it_is(keys: SigningKeys, own_sql: Sql) -> None:
    add_key(own_sql, signs_in=-60, secret=OLD_SECRET)
    before = key_rows(own_sql)[0]["private_sealed"]
    await keys.seal_again()
    assert key_rows(own_sql)[0]["private_sealed"] == before


def test_a_server_keeps_its_keys(start: Callable[..., Server], own_sql: Sql) -> None:
    """It looks when it starts, and each minute."""
    kid = add_key(own_sql, signs_in=-2 * DAY)
    server = start(SIGNING_KEY_DAYS="1")
    eventually(lambda: len(listed_by(server)) == 2, "the next key is listed")
    age_keys(own_sql, seconds=WAIT_SECONDS + LEAVE_SECONDS)
    (following,) = {row["kid"] for row in key_rows(own_sql)} - {kid}
    until_listed(server, {following})


async def test_a_start_without_the_database(keys: SigningKeys, database: str, server_dsn: str) -> None:
    """Nothing is known then, and nothing is signed. When the database is there, a new installation gets its key."""
    ring = KeyRing(keys.database, keys.sealer, stopwatch)
    keeper = KeyKeeper(keys, ring, names_issuer=True)
    name = compose.Identifier(urlsplit(database).path[1:])
    with psycopg.connect(server_dsn, autocommit=True) as server:
        server.execute(compose.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
        await keeper.prepare()
        with pytest.raises(KeysUnknown):
            ring.signer()
        running = asyncio.create_task(keeper.run())
        server.execute(compose.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))
    loaded = asyncio.Event()
    ring.on_change(loaded.set)
    async with asyncio.timeout(SECONDS):
        await loaded.wait()
    signer = ring.signer()
    running.cancel()
    await asyncio.wait([running])
    assert signer is not None
    assert signer.alg == "ES256"
