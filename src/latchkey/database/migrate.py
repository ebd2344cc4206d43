"""Migrates a database to the schema of this version: a new one, node-api-postgres's, or an older one of Latchkey.

Imports Alembic and SQLAlchemy only for a migration, so a server process does not load them.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from latchkey.database.adoption.adoption import Adoption, MigrationError, Resolutions
from latchkey.database.adoption.dirty_data import DirtyData, find_dirty_data
from latchkey.database.adoption.original_schema import UnfitSchema, original_tables, require_adoptable
from latchkey.database.blockers import describe_blockers
from latchkey.database.pooler_queries import is_direct
from latchkey.database.rights import require_rights
from latchkey.logs import Logger

if TYPE_CHECKING:
    from sqlalchemy import Connection

REQUIRED_REVISION = "0018"
"""The newest revision, which this version needs."""

RULES_REVISION = "0005"
"""From this revision on, the database itself refuses the rows that `find_dirty_data` looks for."""

LOCK_KEY = int.from_bytes(b"latchkey")
LOCK_POLL_SECONDS = 0.1
LOCK_TIMEOUT_SECONDS = 5
LIMITS = f"SET {{0}} statement_timeout = 0; SET {{0}} lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"

STOP_AND_LIST = Resolutions()

Connect = Callable[[], Awaitable[asyncpg.Connection]]

log = Logger()


class UnknownTimezone(MigrationError):
    """PostgreSQL knows no time zone of that name. Nothing was changed."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"PostgreSQL knows no time zone {name!r}. Nothing was changed. "
            "Give a name as in pg_timezone_names, such as Europe/Berlin or UTC."
        )


class TableBusy(MigrationError):
    """Another connection locked a table for longer than the migration waits (5 s)."""


@dataclass(frozen=True)
class MigrationReport:
    """The result of a migration.

    `users`, `sessions` and `audit_rows` count the rows of a node-api-postgres database. `resolved` names each row that
    a resolution changed. `source_timezone` is the zone in which old timestamps were read, or None. `from_revision` is
    None for a new database or node-api-postgres's.
    """

    from_revision: str | None
    to_revision: str
    users: int = 0
    sessions: int = 0
    audit_rows: int = 0
    source_timezone: str | None = None
    resolved: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Tells whether the migration changed the database."""
        return self.from_revision != self.to_revision


async def schema_revision(connection: asyncpg.Connection) -> str | None:
    """Returns the database's revision, or None if it was never migrated. Only reads."""
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


def is_current(revision: str | None) -> bool:
    """Tells whether this version works at that revision.

    A newer revision is fine: in a rolling deployment the new release migrates while the old one still serves.
    """
    return revision is not None and _is_ours(revision) and int(revision) >= int(REQUIRED_REVISION)


async def migrate(
    connect: Connect, *, source_timezone: str | None = None, resolve: Resolutions = STOP_AND_LIST
) -> MigrationReport:
    """Migrates the database to REQUIRED_REVISION, unless it is there. Many instances may call it at once.

    `connect` opens a connection. It must leave the TimeZone setting to the server, because node-api-postgres's
    timestamps are read in it; `source_timezone`, a name that PostgreSQL knows, overrides it. Alembic is global to a
    process, so migrate one database at a time.

    Raises DirtyData, UnfitSchema, MayNotCreate or UnknownTimezone, without a change. Raises TableBusy or another
    MigrationError after whole revisions: call it again. Raises what `connect` raises.
    """
    connection = await connect()
    stays = "What was done before stays"
    try:
        by_session = await is_direct(connection)
        if not by_session:
            stays = "Nothing was changed"
        waiting = False
        while True:
            async with _locked(connection, by_session=by_session) as locked:
                if locked:
                    return await _migrate_locked(connection, source_timezone, resolve, by_session=by_session)
            # Polled, because waiting inside PostgreSQL would hold a snapshot (CREATE INDEX CONCURRENTLY waits for it)
            # and run into lock_timeout.
            if not waiting:
                log.info("another instance is migrating the database, waiting for it")
            waiting = True
            await asyncio.sleep(LOCK_POLL_SECONDS)
    except Exception as error:
        raise await _explained(error, connect, stays) from error
    finally:
        # Also releases the lock.
        await connection.close(timeout=LOCK_TIMEOUT_SECONDS)


@asynccontextmanager
async def _locked(connection: asyncpg.Connection, *, by_session: bool) -> AsyncIterator[bool]:
    """Yields whether this connection alone may migrate, until it is closed.

    The migration runs on this connection, so a lost connection ends both the work and the lock. A pooler may change the
    server connection after each commit. Then `by_session` is off, and one transaction does everything.
    """
    if by_session:
        await connection.execute(LIMITS.format("SESSION"))
        yield await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK_KEY)
    else:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(LIMITS.format("LOCAL"))
            yield await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK_KEY)


async def _migrate_locked(
    connection: asyncpg.Connection, source_timezone: str | None, resolve: Resolutions, *, by_session: bool
) -> MigrationReport:
    zone = await _zone(connection, source_timezone)
    revision = await schema_revision(connection)
    if revision is not None and not _is_ours(revision):
        raise UnfitSchema([f"alembic_version is at {revision!r}: another program's migrations use it."])
    if revision is not None and is_current(revision):
        return MigrationReport(revision, revision)
    if revision is None:
        await require_adoptable(connection)
    await require_rights(connection)
    if revision is None or int(revision) < int(RULES_REVISION):
        findings = await find_dirty_data(connection, resolve, await original_tables(connection))
        if findings:
            raise DirtyData(findings)
    old_timestamps = await connection.fetchval(OLD_TIMESTAMPS)
    adoption = Adoption(zone, resolve)
    await _run_revisions(connection, adoption, by_session=by_session)
    return MigrationReport(
        revision,
        REQUIRED_REVISION,
        users=adoption.users,
        sessions=adoption.sessions,
        audit_rows=adoption.audit_rows,
        source_timezone=zone if old_timestamps else None,
        resolved=tuple(adoption.resolved),
        warnings=tuple(adoption.warnings),
    )


OLD_TIMESTAMPS = """
SELECT EXISTS(
    SELECT FROM pg_attribute
    WHERE attrelid IN (to_regclass('users'), to_regclass('audit_logs')) AND atttypid = 'timestamp'::regtype
      AND attname IN ('created_at', 'reset_token_expires')
)
"""


async def _zone(connection: asyncpg.Connection, wanted: str | None) -> str:
    if wanted is None:
        setting: str = await connection.fetchval("SELECT current_setting('TimeZone')")
        return setting
    known: str | None = await connection.fetchval(
        "SELECT name FROM pg_timezone_names WHERE lower(name) = lower($1)", wanted
    )
    if known is None:
        raise UnknownTimezone(wanted)
    return known


def _is_ours(revision: str) -> bool:
    return len(revision) == len(REQUIRED_REVISION) and revision.isascii() and revision.isdigit()


async def _run_revisions(connection: asyncpg.Connection, adoption: Adoption, *, by_session: bool) -> None:
    from sqlalchemy import StaticPool
    from sqlalchemy.ext.asyncio import create_async_engine

    async def hand_over() -> asyncpg.Connection:
        return connection

    # It leaves the connection open. Inside a transaction, revisions become its savepoints.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=hand_over, poolclass=StaticPool)
    async with engine.connect() as bound:
        await bound.run_sync(functools.partial(_upgrade, adoption=adoption, by_session=by_session))


def _upgrade(connection: "Connection", adoption: Adoption, by_session: bool) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "adoption": adoption, "by_session": by_session})
    config.set_main_option("script_location", "latchkey.database:migrations")
    command.upgrade(config, REQUIRED_REVISION)


async def _explained(error: Exception, connect: Connect, stays: str) -> Exception:
    """Returns the error as the operator should read it. Errors that are not the database's are returned unchanged."""
    # SQLAlchemy holds the driver's error in `orig`. Errors of the driver itself have no SQLSTATE.
    cause = getattr(error, "orig", error)
    again = f"{stays}; run it again."
    if getattr(cause, "sqlstate", None) == asyncpg.InsufficientPrivilegeError.sqlstate:
        again = f"{stays}; run it again as the owner of the tables."
    if getattr(cause, "sqlstate", None) == asyncpg.LockNotAvailableError.sqlstate:
        return TableBusy(
            f"A table was in use for more than {LOCK_TIMEOUT_SECONDS} s, so the migration stopped. "
            f"Stop node-api-postgres and all other programs that use its tables. {again}\n{await describe_blockers(connect)}"
        )
    if cause is not error or isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        state = getattr(cause, "sqlstate", None) or "no SQLSTATE"
        return MigrationError(f"PostgreSQL stopped the migration ({state}): {cause}. {again}")
    return error
