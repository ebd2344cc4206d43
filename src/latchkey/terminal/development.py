"""What `latchkey dev` leaves in DATA_DIR for other commands."""

from pathlib import Path

from latchkey.settings import ServiceSettings


def dsn_file(settings: ServiceSettings) -> Path:
    """Where the embedded PostgreSQL writes its DSN while it runs."""
    return settings.data_dir / "dsn"


def development_dsn(settings: ServiceSettings) -> str | None:
    """The DSN of the embedded PostgreSQL that runs here; None when none does. Raises OSError when it is unreadable."""
    try:
        return dsn_file(settings).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
