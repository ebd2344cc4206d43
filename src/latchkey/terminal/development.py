"""Files in DATA_DIR that `latchkey dev` shares with other commands."""

from pathlib import Path

from latchkey.settings import ServiceSettings


def dsn_file(settings: ServiceSettings) -> Path:
    """Returns the file that holds the DSN of the embedded PostgreSQL while it runs."""
    return settings.data_dir / "dsn"


def development_dsn(settings: ServiceSettings) -> str | None:
    """Returns the DSN of the embedded PostgreSQL that runs here, or None. Raises OSError if the file is unreadable."""
    try:
        return dsn_file(settings).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
