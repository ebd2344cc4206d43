"""`latchkey dev`: working accounts on a developer's machine with nothing else set up."""

import asyncio
import multiprocessing
from functools import partial

from pydantic import SecretStr

from latchkey.cli.failing import explained
from latchkey.cli.secrets import SecretsUnreadable, kept_secrets
from latchkey.cli.server import run_server
from latchkey.database.embedded import EmbeddedUnavailable, start
from latchkey.database.migrate import DirtyData, MigrationError, migrate
from latchkey.database.pool import DatabaseUnavailable, connect
from latchkey.settings import Settings, SettingsError, load_settings


def dev() -> None:
    """Starts what is missing (PostgreSQL, secrets, schema) and serves, reloading on change, until interrupted."""
    # Not forked: a reloaded worker must import the code as it is now, not inherit what the supervisor has loaded.
    multiprocessing.set_start_method("spawn")
    with explained(SettingsError, SecretsUnreadable, OSError):
        settings = _with_secrets(load_settings(environment="development"))
    if settings.database_url is not None:
        _serve(settings, settings.database_url.get_secret_value())
        return
    with explained(EmbeddedUnavailable):
        postgres = start(settings.data_dir)
    try:
        _serve(settings.model_copy(update={"database_url": SecretStr(postgres.dsn)}), postgres.dsn)
    finally:
        postgres.stop()


def _with_secrets(settings: Settings) -> Settings:
    if settings.jwt_access_secret and settings.jwt_refresh_secret:
        return settings
    made = {name: SecretStr(secret) for name, secret in kept_secrets(settings.data_dir).items()}
    given = {name: getattr(settings, name) for name in made}
    return settings.model_copy(update={name: given[name] or secret for name, secret in made.items()})


def _serve(settings: Settings, url: str) -> None:
    with explained(DatabaseUnavailable, DirtyData, MigrationError):
        asyncio.run(migrate(partial(connect, url, production=False)))
    print(f"Latchkey is at http://localhost:{settings.port}{settings.root_path}/api-docs (Ctrl-C stops it)")
    run_server(settings, reload=True)
