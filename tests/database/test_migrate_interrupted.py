"""Many instances at once, busy tables, lost connections: a migration happens once, and can always be run again."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager

import asyncpg
import pytest

from latchkey.database.adoption.adoption import MigrationError, Resolutions
from latchkey.database.adoption.dirty_data import DirtyData
from latchkey.database.migrate import REQUIRED_REVISION, MigrationReport, TableBusy, migrate
from tests.kit.original_database import README, ROWS, checksum, connector, rows, run, value


def migrate_in_a_process_of_its_own(dsn: str) -> MigrationReport:
    """Top level, since the other process imports it by name."""
    return asyncio.run(migrate(connector(dsn)))


async def test_ten_processes_at_once_migrate_once(empty_database: str) -> None:
    """Ten instances of one deployment start together; nine wait and find the work done."""
    await run(empty_database, README + ROWS.format(users=20_000, audits=20_000))
    before = await checksum(empty_database, await value(empty_database, "SELECT current_setting('TimeZone')"))
    loop = asyncio.get_running_loop()
    context = multiprocessing.get_context("forkserver")
    # Imported once and not ten times.
    context.set_forkserver_preload([__name__, "alembic.command", "sqlalchemy.ext.asyncio"])
    with ProcessPoolExecutor(10, context) as processes:
        reports = await asyncio.gather(
            *(loop.run_in_executor(processes, migrate_in_a_process_of_its_own, empty_database) for _ in range(10))
        )
    assert [report.users for report in reports if report.changed] == [20_000]
    assert {report.to_revision for report in reports} == {REQUIRED_REVISION}
    assert await checksum(empty_database) == before


@asynccontextmanager
async def holding(dsn: str, statement: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection in the middle of a transaction, as a forgotten psql leaves it."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "forgotten psql"})
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield connection
    finally:
        await connection.close()


async def until(dsn: str, query: str) -> None:
    """Wait for PostgreSQL to answer yes; it tells nobody when a lock is being waited for."""
    while not await value(dsn, query):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_busy_table_is_reported_and_the_next_run_succeeds(empty_database: str) -> None:
    """An ALTER that waits blocks everyone behind it: better to stop after 5 s and say who is in the way."""
    await run(empty_database, README + ROWS.format(users=100, audits=100))
    async with holding(empty_database, "SELECT FROM audit_logs") as other:
        with pytest.raises(TableBusy, match=f"pid {other.get_server_pid()}, application forgotten psql, idle in tr"):
            await migrate(connector(empty_database))
        stopped_at = await value(empty_database, "SELECT version_num FROM alembic_version")
    assert stopped_at == "0003"
    report = await migrate(connector(empty_database))
    assert (report.from_revision, report.to_revision, report.sessions) == ("0003", REQUIRED_REVISION, 40)


@pytest.mark.parametrize("waiting_for", ["users", "audit_logs"])
async def test_a_killed_migration_can_be_run_again(empty_database: str, waiting_for: str) -> None:
    """Killed in the middle of a revision (it waits there for a lock): that revision is undone, earlier ones stay,
    and the lock that keeps other instances out is gone with the connection."""
    await run(empty_database, README + ROWS.format(users=1000, audits=1000))
    before = await checksum(empty_database, await value(empty_database, "SELECT current_setting('TimeZone')"))
    async with holding(empty_database, f"SELECT FROM {waiting_for}"):
        migration = asyncio.create_task(migrate(connector(empty_database)))
        await until(empty_database, TERMINATE_WAITING)
        with pytest.raises(MigrationError, match="run it again"):
            await migration
    report = await migrate(connector(empty_database))
    assert report.to_revision == REQUIRED_REVISION
    assert await checksum(empty_database) == before


TERMINATE_WAITING = """
SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ALTER TABLE%'
"""


@pytest.mark.parametrize("revision", [f"{n:04}" for n in range(1, int(REQUIRED_REVISION) + 1)])
async def test_every_revision_that_fails_is_undone_whole(empty_database: str, revision: str) -> None:
    """The last statement of each transaction fails: nothing of the revision is left, and the next run ends well."""
    await run(empty_database, README + ROWS.format(users=500, audits=500))
    zone = await value(empty_database, "SELECT current_setting('TimeZone')")
    before = await checksum(empty_database, zone)
    fail = f"CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY CHECK (version_num <> '{revision}'))"
    await run(empty_database, fail)
    with pytest.raises(MigrationError, match="23514"):
        await migrate(connector(empty_database))
    await run(empty_database, "ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_version_num_check")
    report = await migrate(connector(empty_database))
    assert report.from_revision == (None if revision == "0001" else f"{int(revision) - 1:04}")
    assert await checksum(empty_database) == before
    assert await rows(empty_database, "SELECT count(*) FROM sessions") == [(200,)]


async def test_a_write_that_overtakes_the_check_is_found_by_the_next_run(empty_database: str) -> None:
    """node-api-postgres was still running: between check and index it made a second account of one address."""
    await run(empty_database, README + "INSERT INTO users (name, email, password) VALUES ('n', 'a@x', 'p')")
    async with holding(empty_database, "LOCK TABLE users IN ACCESS SHARE MODE") as other:
        migration = asyncio.create_task(migrate(connector(empty_database)))
        await until(empty_database, WAITING)
        await other.execute("INSERT INTO users (name, email, password) VALUES ('n', 'A@x', 'p')")
    with pytest.raises(MigrationError, match="23505"):
        await migration
    with pytest.raises(DirtyData):
        await migrate(connector(empty_database))
    report = await migrate(connector(empty_database), resolve=Resolutions(duplicate_emails="keep-oldest"))
    assert report.resolved == ("users 2: deleted, its address is that of user 1",)


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%ALTER TABLE%'
"""
