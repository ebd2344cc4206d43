"""`latchkey dev`: runs Latchkey on a developer's machine without any setup."""

import multiprocessing
import signal
import sys
from types import FrameType

from pydantic import SecretStr

from latchkey.app import Settings
from latchkey.cli.loopback import both_loopbacks
from latchkey.cli.migrate import run_migration
from latchkey.cli.server import require_free_port, run_server
from latchkey.database.embedded.postgres import EmbeddedUnavailable, start
from latchkey.logs import configure_logging
from latchkey.settings import SettingsError, load_settings
from latchkey.terminal.failing import explained
from latchkey.terminal.output import print_line
from latchkey.terminal.secrets import SecretsUnreadable, kept_secrets


def dev() -> None:
    """Starts what is missing (PostgreSQL, secrets, schema) and serves, reloading on change.

    Ctrl-C, SIGTERM and the closing of the terminal stop it and PostgreSQL; the exit code is 0. Exits with 1 if it
    cannot start.
    """
    # Spawned, not forked: a reloaded worker must import the changed code, not inherit the supervisor's.
    multiprocessing.set_start_method("spawn")
    _exit_when_told_to()
    with explained(SettingsError):
        settings = load_settings(Settings, environment="development")
    configure_logging(development=True)
    # First of all: where one runs already, a second one must leave its data alone.
    address = require_free_port(settings)
    with explained(SecretsUnreadable), explained(OSError, about="DATA_DIR cannot be used"):
        settings = _with_secrets(settings)
    if settings.database_url is not None:
        _serve(settings, address)
        return
    with explained(EmbeddedUnavailable):
        postgres = start(settings.data_dir)
    with postgres:
        _serve(settings.model_copy(update={"database_url": SecretStr(postgres.dsn)}), address)


def _exit_when_told_to() -> None:
    """Makes the signals that stop the server exit this process in order, until the server installs its own handlers."""

    def leave(_: int, __: FrameType | None) -> None:
        sys.exit(0)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


def _with_secrets(settings: Settings) -> Settings:
    if settings.jwt_access_secret and settings.jwt_refresh_secret:
        return settings
    made = {name: SecretStr(secret) for name, secret in kept_secrets(settings.data_dir).items()}
    given = {name: getattr(settings, name) for name in made}
    return settings.model_copy(update={name: given[name] or secret for name, secret in made.items()})


def _serve(settings: Settings, address: str) -> None:
    run_migration(settings)
    port = settings.port
    with both_loopbacks(address, port) as here:
        print_line(f"Latchkey is at http://{here.host}:{port}{settings.root_path}/api-docs (Ctrl-C stops it)")
        if here.taken:
            print_line(f"and not at http://localhost:{port}: another program listens on {here.taken} port {port}")
        run_server(settings, reload=True, dev=True)
