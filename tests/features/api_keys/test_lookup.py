"""The memory of good API keys: what it saves, how long it holds, and what empties it. Time is passed in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from latchkey.database.pool import Database, open_database
from latchkey.features.api_keys.key_format import PresentedKey, read_key
from latchkey.features.api_keys.lookup import REMEMBERED_MAX, REMEMBERED_SECONDS, KeyLookup
from tests.kit.services import add_api_key
from tests.kit.stored import Sql

SCOPES = frozenset({"tokens:introspect"})


class World:
    """A look-up on a real database, with a stopwatch and a feed that a test moves. `asked` are the batches it asked."""

    def __init__(self, database: Database) -> None:
        self.now = 1_000.0
        self.hears_changes = True
        self.asked: list[list[str]] = []
        self.has_read = asyncio.Event()
        self.before_answer = asyncio.Event()
        self.before_answer.set()
        self._database = database
        self.lookup = KeyLookup(self, lambda: self.hears_changes, lambda: self.now)  # type: ignore[arg-type]  # a Queryable

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Asks the database, and hands the answer over when the test lets it."""
        self.asked.append(args[0])
        rows = await self._database.fetch(query, *args)
        self.has_read.set()
        await self.before_answer.wait()
        return rows

    async def scopes(self, presented: PresentedKey) -> frozenset[str] | None:
        """Returns the scopes of a key as a request finds them: remembered, or asked for. None: it is no good."""
        key = self.lookup.recall(presented.hash) or await self.lookup.find(presented)
        return key.scopes if key else None


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    pool = await open_database(database, production=False)
    yield World(pool)
    await pool.close()


def stored(sql: Sql, *, expires_in: str | None = None) -> PresentedKey:
    """Stores a key, and returns it as a request presents it."""
    presented = read_key(add_api_key(sql, *SCOPES, expires_in=expires_in))
    assert presented is not None
    return presented


def revoke(sql: Sql, key: PresentedKey) -> None:
    """Revokes a key in the database, without telling anybody."""
    sql.execute("UPDATE api_keys SET revoked_at = now() WHERE id = %s", [key.id])


async def test_a_good_key_is_asked_for_once_a_minute(world: World, own_sql: Sql) -> None:
    key = stored(own_sql)
    for _ in range(3):
        assert await world.scopes(key) == SCOPES
    assert len(world.asked) == 1
    revoke(own_sql, key)
    world.now += REMEMBERED_SECONDS - 0.001
    assert await world.scopes(key) == SCOPES
    world.now += 0.001
    assert await world.scopes(key) is None


async def test_a_bad_key_is_not_remembered(world: World, own_sql: Sql) -> None:
    """A key that an operator has just made may have been tried a moment too early."""
    key = stored(own_sql)
    own_sql.execute("UPDATE api_keys SET id = 'another' WHERE id = %s", [key.id])
    assert await world.scopes(key) is None
    own_sql.execute("UPDATE api_keys SET id = %s", [key.id])
    assert await world.scopes(key) == SCOPES


async def test_an_id_with_another_secret_is_no_good(world: World, own_sql: Sql) -> None:
    """Before and after the right key is remembered."""
    key = stored(own_sql)
    forged = PresentedKey(key.id, bytes(32))
    assert await world.scopes(forged) is None
    assert await world.scopes(key) == SCOPES
    assert await world.scopes(forged) is None
    assert await world.scopes(key) == SCOPES


async def test_a_key_is_remembered_no_longer_than_it_lives(world: World, own_sql: Sql) -> None:
    key = stored(own_sql, expires_in="30 seconds")
    assert await world.scopes(key) == SCOPES
    # The database's clock decides, so the row is aged; the memory must end by itself.
    own_sql.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
    world.now += 29
    assert await world.scopes(key) == SCOPES
    world.now += 1
    assert await world.scopes(key) is None


async def test_a_notification_empties_the_memory(world: World, own_sql: Sql) -> None:
    revoked, other = stored(own_sql), stored(own_sql)
    for key in (revoked, other):
        assert await world.scopes(key) == SCOPES
    revoke(own_sql, revoked)
    world.lookup.changed("signing_keys")
    assert await world.scopes(revoked) == SCOPES
    world.lookup.changed(f"api_key {revoked.id}")
    assert await world.scopes(revoked) is None
    asked = len(world.asked)
    assert await world.scopes(other) == SCOPES
    assert len(world.asked) == asked


async def test_a_new_connection_of_the_feed_empties_the_memory(world: World, own_sql: Sql) -> None:
    """A notification may have been lost before."""
    key = stored(own_sql)
    assert await world.scopes(key) == SCOPES
    revoke(own_sql, key)
    world.lookup.changed("")
    assert await world.scopes(key) is None


@pytest.mark.parametrize("payload", ["api_key {id}", "", "api_key of-another"])
async def test_a_notification_that_overtakes_the_answer(world: World, own_sql: Sql, payload: str) -> None:
    """The statement has read the key as good, then it was revoked, and the news came first. The old answer is not
    remembered."""
    key = stored(own_sql)
    world.before_answer.clear()
    asking = asyncio.create_task(world.lookup.find(key))
    await world.has_read.wait()
    revoke(own_sql, key)
    world.lookup.changed(payload.format(id=key.id))
    world.before_answer.set()
    assert await asking is not None, "it was good when it was asked for"
    assert await world.scopes(key) is None


async def test_while_no_notification_arrives_each_request_asks(world: World, own_sql: Sql) -> None:
    key = stored(own_sql)
    assert await world.scopes(key) == SCOPES
    world.hears_changes = False
    for _ in range(3):
        assert await world.scopes(key) == SCOPES
    assert len(world.asked) == 4
    revoke(own_sql, key)
    assert await world.scopes(key) is None


async def test_requests_that_come_together_share_a_statement(world: World, own_sql: Sql) -> None:
    keys = [stored(own_sql) for _ in range(5)] * 4
    assert await asyncio.gather(*(world.scopes(key) for key in keys)) == [SCOPES] * 20
    assert len(world.asked) == 1


async def test_the_memory_is_bounded(world: World, own_sql: Sql) -> None:
    """The key that was looked up longest ago gives way."""
    own_sql.execute(
        "INSERT INTO api_keys (id, name, secret_hash, scopes)"
        " SELECT n::text, '', sha256(n::text::bytea), '{}' FROM generate_series(1, %s) AS n",
        [REMEMBERED_MAX],
    )
    first, second = stored(own_sql), stored(own_sql)
    rows = own_sql.execute("SELECT id, secret_hash FROM api_keys WHERE name = ''").fetchall()
    await world.scopes(first)
    await asyncio.gather(*(world.scopes(PresentedKey(row["id"], row["secret_hash"])) for row in rows[1:]))
    assert world.lookup.recall(first.hash) is not None
    await world.scopes(second)
    assert (world.lookup.recall(first.hash), world.lookup.recall(second.hash) is not None) == (None, True)
