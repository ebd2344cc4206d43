"""Runs the commands of imports on a database of the test's own."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.kit.command_line import latchkey
from tests.kit.import_files import Run, Write


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey users …` on the test's database, without any secret."""
    return partial(latchkey, "users", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of JSON lines: `write(row, …)`. A text stands as it is."""

    def write_lines(*rows: dict[str, Any] | str, name: str = "users.ndjson") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
        return path

    return write_lines
