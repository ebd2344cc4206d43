"""What the commands for operators work on: the database and the services over it, the same as HTTP's."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr

from latchkey.audit.record import AuditLog
from latchkey.cli.development import development_dsn, dsn_file
from latchkey.cli.failing import explained, fail
from latchkey.cli.output import log_to_stderr
from latchkey.cli.schema import SchemaNotCurrent, require_current_schema
from latchkey.clock import stopwatch
from latchkey.database.pool import Database, DatabaseUnavailable, open_database
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.feed import EndedSessions
from latchkey.sessions.management import SessionManager
from latchkey.settings import Settings, SettingsError, load_settings
from latchkey.users.accounts import Accounts
from latchkey.users.conflicts import UnexpectedConflict

T = TypeVar("T")

COMMAND_LINE = Origin()
"""Where the changes of these commands come from, for their audit rows: no address, no browser."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command at work. `audit` records changes under no actor: the operator has no account."""

    settings: Settings
    database: Database
    audit: AuditLog
    accounts: Accounts
    sessions: SessionManager


def operate(work: Callable[[Operation], Awaitable[T]]) -> T:
    """Runs `work` on the database of DATABASE_URL, or else on that of `latchkey dev`, while it runs here.

    Exits with 1 after an explanation when there is none, or its schema is not current.
    """
    log_to_stderr()
    with explained(SettingsError):
        settings = _settings()
    with (
        explained(DatabaseUnavailable, about="the database cannot be used"),
        explained(SchemaNotCurrent),
        explained(UnexpectedConflict, about="the database refused it"),
    ):
        return asyncio.run(_run(work, settings))


def _settings() -> Settings:
    settings = load_settings()
    if settings.database_url is not None:
        return settings
    file = dsn_file(settings)
    with explained(OSError):
        dsn = development_dsn(settings)
    if dsn is None:
        fail(f"DATABASE_URL is not set, and there is no {file}, which latchkey dev writes while it runs")
    sys.stderr.write(f"latchkey: DATABASE_URL is not set; using the development database of {file}\n")
    return load_settings(environment="development", database_url=SecretStr(dsn))


async def _run(work: Callable[[Operation], Awaitable[T]], settings: Settings) -> T:
    assert settings.database_url is not None
    url, production = settings.database_url.get_secret_value(), not settings.development
    await require_current_schema(url, production=production)
    database = await open_database(url, production=production, pool_max=1)
    try:
        audit = AuditLog(database, required=settings.audit_required)
        ender = SessionEnder(EndedSessions(stopwatch))
        accounts = Accounts(
            database,
            audit,
            ender,
            Outbox(database),
            confirm_email_change=settings.confirm_email_change,
            require_verified_email=settings.require_verified_email,
        )
        sessions = SessionManager(database, audit, ender)
        return await work(Operation(settings, database, audit, accounts, sessions))
    finally:
        await database.close()
