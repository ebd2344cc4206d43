"""When keys were last used: known soon, stored for all keys together, never for each request."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from latchkey.database.pool import Database, DatabaseUnavailable, open_database
from latchkey.features.api_keys.last_uses import LastUses
from tests.kit.services import add_api_key, id_of
from tests.kit.stored import Sql

PATIENCE_SECONDS = 20.0


class Recorder:
    """Takes the place of a pool: passes statements on, counts them, and refuses when a test says so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.stored: list[dict[str, float]] = []
        self.refuses = False
        self.tried = asyncio.Event()
        self.has_stored = asyncio.Event()

    async def write(self, query: str, ids: list[str], seconds_ago: list[float]) -> Any:
        self.tried.set()
        if self.refuses:
            raise DatabaseUnavailable("gone")
        await self._database.write(query, ids, seconds_ago)
        self.stored.append(dict(zip(ids, seconds_ago, strict=True)))
        self.has_stored.set()


@pytest.fixture
async def recorder(database: str) -> AsyncIterator[Recorder]:
    pool = await open_database(database, production=False)
    yield Recorder(pool)
    await pool.close()


def uses(recorder: Recorder, *, every: float, now: Mapping[str, float]) -> LastUses:
    """Returns the uses of a process whose stopwatch shows `now["is"]`."""
    return LastUses(recorder, lambda: now["is"], every=every)  # type: ignore[arg-type]  # it has what is used of a pool


@asynccontextmanager
async def running(last_uses: LastUses) -> AsyncIterator[None]:
    task = asyncio.create_task(last_uses.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def until_stored(recorder: Recorder, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(recorder.stored) < count:
            recorder.has_stored.clear()
            await recorder.has_stored.wait()


def seconds_ago(sql: Sql, key: str) -> float | None:
    """Returns how long ago a key was used, by its row."""
    row = sql.execute(
        "SELECT extract(epoch FROM now() - last_used_at)::float8 AS ago FROM api_keys WHERE id = %s", [id_of(key)]
    ).fetchone()
    assert row is not None
    ago: float | None = row["ago"]
    return ago


async def test_the_first_use_is_stored_at_once_and_more_with_the_next_update(recorder: Recorder, own_sql: Sql) -> None:
    """Then no use, no statement. What was used meanwhile is stored at the end of the process."""
    keys = [add_api_key(own_sql) for _ in range(3)]
    unused = add_api_key(own_sql)
    now = {"is": 1_000.0}
    last_uses = uses(recorder, every=3_600.0, now=now)
    async with running(last_uses):
        last_uses.note(id_of(keys[0]))
        await until_stored(recorder, 1)
        for key in keys:
            last_uses.note(id_of(key))
        now["is"] += 120
        last_uses.note(id_of(keys[2]))
    assert recorder.stored == [{id_of(keys[0]): 0}, {id_of(keys[0]): 120, id_of(keys[1]): 120, id_of(keys[2]): 0}]
    ago = [seconds_ago(own_sql, key) for key in keys]
    assert ago[0] is not None
    assert ago[0] < 60, "the earlier, but later stored use does not replace the later one"
    assert ago[1] is not None
    assert 120 <= ago[1] < 180
    assert ago[2] is not None
    assert ago[2] < 60
    assert seconds_ago(own_sql, unused) is None


async def test_at_most_one_update_in_a_while(recorder: Recorder, own_sql: Sql) -> None:
    """However many requests come, and there are as many updates as such whiles in which a key was used."""
    key = id_of(add_api_key(own_sql))
    last_uses = uses(recorder, every=0.2, now={"is": 0.0})
    began = asyncio.get_running_loop().time()
    async with running(last_uses):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(recorder.stored) < 4:
                last_uses.note(key)
                await asyncio.sleep(0)
        took = asyncio.get_running_loop().time() - began
    assert took >= 3 * 0.2


async def test_a_database_that_is_away_loses_nothing(recorder: Recorder, own_sql: Sql) -> None:
    first, second = add_api_key(own_sql), add_api_key(own_sql)
    last_uses = uses(recorder, every=0.05, now={"is": 0.0})
    recorder.refuses = True
    async with running(last_uses):
        last_uses.note(id_of(first))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await recorder.tried.wait()
        recorder.refuses = False
        last_uses.note(id_of(second))
        await until_stored(recorder, 1)
    assert recorder.stored == [{id_of(first): 0, id_of(second): 0}]
    assert seconds_ago(own_sql, first) is not None


async def test_a_key_that_is_gone_is_no_error(recorder: Recorder) -> None:
    last_uses = uses(recorder, every=3_600.0, now={"is": 0.0})
    async with running(last_uses):
        last_uses.note("gone")
        await until_stored(recorder, 1)
