"""Runs operators' commands on the database, through the same services as HTTP."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import SecretStr

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog
from latchkey.clock import stopwatch
from latchkey.database.pool import Database, DatabaseUnavailable, open_database
from latchkey.database.schema import SchemaNotCurrent, require_current_schema
from latchkey.feature import PlatformSettings
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.settings import SettingsError, load_settings
from latchkey.terminal.development import development_dsn, dsn_file
from latchkey.terminal.failing import explained, fail
from latchkey.users.conflicts import UnexpectedConflict

if TYPE_CHECKING:
    from latchkey.sessions.ending import SessionEnder

T = TypeVar("T")
AnySettings = TypeVar("AnySettings", bound=PlatformSettings)

COMMAND_LINE = Origin()
"""The origin in the audit rows of commands: no address, no browser."""
OPERATOR = Actor(origin=COMMAND_LINE)
"""The actor of commands."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[AnySettings]):
    """What a command works with. `audit` records changes without an actor, because an operator has no account."""

    settings: AnySettings
    database: Database
    audit: AuditLog
    outbox: Outbox

    @property
    def ender(self) -> "SessionEnder":
        """Returns what ends sessions. Most commands end none, and start faster without it."""
        from latchkey.sessions.ending import SessionEnder
        from latchkey.sessions.feed import EndedSessions

        return SessionEnder(EndedSessions(stopwatch))


AnyOperation = Operation[Any]


def operate(model: type[AnySettings], work: Callable[[Operation[AnySettings]], Awaitable[T]]) -> T:
    """Runs `work` on the database of DATABASE_URL, or on that of `latchkey dev` while it runs here.

    `model` holds the settings that the command reads. Exits with 1 and an explanation if no database is found or its
    schema is not current.
    """
    with explained(SettingsError):
        settings = _settings(model)
    with (
        explained(DatabaseUnavailable, about="the database cannot be used"),
        explained(SchemaNotCurrent),
        explained(UnexpectedConflict, about="the database refused the change"),
    ):
        return asyncio.run(_run(work, settings))


def _settings(model: type[AnySettings]) -> AnySettings:
    settings = load_settings(model)
    if settings.database_url is not None:
        return settings
    file = dsn_file(settings)
    with explained(OSError):
        dsn = development_dsn(settings)
    if dsn is None:
        fail(f"DATABASE_URL is not set, and {file} does not exist: latchkey dev writes it while it runs")
    sys.stderr.write(f"latchkey: DATABASE_URL is not set; using the development database of {file}\n")
    return load_settings(model, environment="development", database_url=SecretStr(dsn))


async def _run(work: Callable[[Operation[AnySettings]], Awaitable[T]], settings: AnySettings) -> T:
    assert settings.database_url is not None
    url, production = settings.database_url.get_secret_value(), not settings.development
    await require_current_schema(url, production=production)
    database = await open_database(url, production=production, pool_max=1)
    try:
        audit = AuditLog(database, required=settings.audit_required)
        return await work(Operation(settings, database, audit, Outbox(database)))
    finally:
        await database.close()
