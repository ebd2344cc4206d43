"""`latchkey migrate`: migrates Latchkey's or node-api-postgres's database to the schema of this version."""

import asyncio
from functools import partial

from latchkey.app import Settings
from latchkey.database.adoption.adoption import MigrationError, Resolutions
from latchkey.database.migrate import MigrationReport, migrate
from latchkey.database.pool import DatabaseUnavailable, connect
from latchkey.settings import SettingsError, load_settings
from latchkey.terminal.development import dsn_file
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.output import print_line

UNRESOLVED = Resolutions()


def migrate_database(*, source_timezone: str | None, resolve: Resolutions) -> None:
    """Migrates the database of DATABASE_URL and prints the changes. Never guesses a database."""
    with explained(SettingsError):
        settings = load_settings(Settings)
    if settings.database_url is None:
        file = dsn_file(settings)
        hint = f", such as the content of {file}, which is latchkey dev's" if file.exists() else ""
        fail(f"DATABASE_URL is not set: give the URL of the database to migrate{hint}")
    for line in _words(run_migration(settings, source_timezone=source_timezone, resolve=resolve)):
        print_line(line)


def run_migration(
    settings: Settings, *, source_timezone: str | None = None, resolve: Resolutions = UNRESOLVED
) -> MigrationReport:
    """Migrates the database. Exits with 1 and an explanation if that fails or is incomplete."""
    assert settings.database_url, "checked by the caller"
    open_connection = partial(connect, settings.database_url.get_secret_value(), production=not settings.development)
    with explained(MigrationError), explained(DatabaseUnavailable, about="the database cannot be used"):
        return asyncio.run(migrate(open_connection, source_timezone=source_timezone, resolve=resolve))


def _words(report: MigrationReport) -> list[str]:
    if not report.changed:
        return [f"Nothing to do: the database is at revision {report.to_revision}."]
    if report.from_revision is not None:
        lines = [f"Migrated from revision {report.from_revision} to {report.to_revision}."]
    elif report.source_timezone is None:
        lines = [f"Created the schema in an empty database, at revision {report.to_revision}."]
    else:
        lines = [f"Migrated node-api-postgres's database to revision {report.to_revision}."]
    if report.source_timezone is not None:
        lines += [
            f"Migrated: {report.users} users, {report.sessions} of them signed in, {report.audit_rows} audit rows.",
            f"Their times were read as {report.source_timezone}.",
        ]
    lines += [f"Resolved: {line}" for line in report.resolved]
    return lines + [f"Warning: {line}" for line in report.warnings]
