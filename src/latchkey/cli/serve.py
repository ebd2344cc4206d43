"""`latchkey serve`: serves in production. Starts only with valid settings and a current schema."""

import asyncio

import structlog

from latchkey.app import Settings
from latchkey.cli.migrate import run_migration
from latchkey.cli.server import require_free_port, run_server
from latchkey.database.pool import DatabaseUnavailable
from latchkey.database.schema import SchemaNotCurrent, require_current_schema
from latchkey.database_url import parse_database_url
from latchkey.database_url_advice import CHANNEL_BINDING
from latchkey.logs import configure_logging
from latchkey.settings import SettingsError, load_settings
from latchkey.terminal.failing import explained

log = structlog.get_logger(__name__)


def serve(*, migrate_first: bool) -> None:
    """Serves until SIGTERM or SIGINT, then exits with 0.

    Exits with 1, before the port opens, if the settings, the port or the schema are wrong.
    """
    with explained(SettingsError):
        settings = load_settings(Settings, required=True)
    assert settings.database_url, "load_settings(Settings, required=True) has it"
    configure_logging(development=settings.development)
    if parse_database_url(settings.database_url.get_secret_value()).binds_channel:
        log.warning(CHANNEL_BINDING, advice="write sslmode=verify-full instead")
    require_free_port(settings)
    if migrate_first:
        run_migration(settings)
    with explained(SchemaNotCurrent), explained(DatabaseUnavailable, about="the database cannot be used"):
        asyncio.run(
            require_current_schema(settings.database_url.get_secret_value(), production=not settings.development)
        )
    run_server(settings, reload=False)
