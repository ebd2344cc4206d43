"""`latchkey serve`: production. Starts only when everything that it needs is right."""

import asyncio


from latchkey.cli.failing import explained, fail
from latchkey.cli.migrate import run_migration
from latchkey.cli.server import run_server
from latchkey.database.migrate import REQUIRED_REVISION, is_current, schema_revision
from latchkey.database.pool import DatabaseUnavailable, connect
from latchkey.settings import Settings, SettingsError, load_settings


def serve(*, migrate_first: bool) -> None:
    """Serves until SIGTERM. Exits with 1, before the port opens, when settings or schema are not right."""
    with explained(SettingsError):
        settings = load_settings(required=True)
    if migrate_first:
        run_migration(settings)
    with explained(DatabaseUnavailable):
        revision = asyncio.run(_revision(settings))
    if not is_current(revision):
        fail(
            f"the database's schema is at revision {revision or 'none'}, this version needs {REQUIRED_REVISION}:"
            " run latchkey migrate, or serve with --migrate"
        )
    run_server(settings, reload=False)


async def _revision(settings: Settings) -> str | None:
    assert settings.database_url, "load_settings(required=True) has it"
    connection = await connect(settings.database_url.get_secret_value(), production=not settings.development)
    try:
        return await schema_revision(connection)
    finally:
        await connection.close()
