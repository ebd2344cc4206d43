"""Serves as `latchkey dev` does once PostgreSQL, secrets and schema are ready, but without reloading."""

from latchkey.app import Settings
from latchkey.cli.server import run_server
from latchkey.settings import load_settings

if __name__ == "__main__":
    run_server(load_settings(Settings, required=True, environment="development"), reload=False, dev=True)
