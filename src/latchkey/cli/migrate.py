"""`latchkey migrate`: brings the database, ours or node-api-postgres's, to the schema that this version needs."""

import asyncio
from functools import partial

from latchkey.app import Settings
from latchkey.database.adoption import MigrationError, Resolutions
from latchkey.database.migrate import MigrationReport, migrate
from latchkey.database.pool import DatabaseUnavailable, connect
from latchkey.settings import SettingsError, load_settings
from latchkey.terminal.development import dsn_file
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.output import log_to_stderr, print_line

UNRESOLVED = Resolutions()


def migrate_database(*, source_timezone: str | None, resolve: Resolutions) -> None:
    """Migrates the database of DATABASE_URL, never a guessed one, and prints what was done."""
    log_to_stderr()
    with explained(SettingsError):
        settings = load_settings(Settings)
    if settings.database_url is None:
        file = dsn_file(settings)
        hint = f", such as the content of {file}, latchkey dev's" if file.exists() else ""
        fail(f"DATABASE_URL is not set: give the URL of the database to migrate{hint}")
    for line in _words(run_migration(settings, source_timezone=source_timezone, resolve=resolve)):
        print_line(line)


def run_migration(
    settings: Settings, *, source_timezone: str | None = None, resolve: Resolutions = UNRESOLVED
) -> MigrationReport:
    """Migrates; exits with 1 after an explanation when nothing or not all could be done."""
    assert settings.database_url, "the caller has checked it"
    open_connection = partial(connect, settings.database_url.get_secret_value(), production=not settings.development)
    with explained(MigrationError), explained(DatabaseUnavailable, about="the database cannot be used"):
        return asyncio.run(migrate(open_connection, source_timezone=source_timezone, resolve=resolve))


def _words(report: MigrationReport) -> list[str]:
    if not report.changed:
        return [f"Nothing to do: the database is at revision {report.to_revision}."]
    if report.from_revision is not None:
        lines = [f"Migrated from revision {report.from_revision} to {report.to_revision}."]
    elif report.source_timezone is None:
        lines = [f"Made the schema in a new database, at revision {report.to_revision}."]
    else:
        lines = [f"Took over node-api-postgres's database, now at revision {report.to_revision}."]
    if report.source_timezone is not None:
        lines += [
            f"Taken over: {report.users} users, {report.sessions} of them signed in, {report.audit_rows} audit rows.",
            f"Their times were read as {report.source_timezone}.",
        ]
    lines += [f"Resolved: {line}" for line in report.resolved]
    return lines + [f"Warning: {line}" for line in report.warnings]
