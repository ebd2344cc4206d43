"""The previous release, to be upgraded from: its code, run with the packages of this one."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.browser import Browser
from tests.kit.releases import Release, Unchecked
from tests.kit.server import Server, environment, start_server
from tests.kit.smtp_server import SmtpServer, settings_of
from tests.kit.wire import Wire

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def previous_source(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree of the commit that the file `previous` names. A clone that does not reach that far back skips
    the test, but in CI it fails."""
    commit = (HERE / "previous").read_text(encoding="utf-8").strip()
    done = subprocess.run(
        [require("git"), "archive", commit, "src"], cwd=HERE.parents[1], capture_output=True, check=False
    )
    if done.returncode != 0:
        reason = f"no commit {commit} here (git fetch --unshallow): {done.stderr.decode().strip()}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(directory, filter="data")
    source = directory / "src"
    imported = subprocess.run(
        [sys.executable, "-c", "import latchkey; print(latchkey.__file__)"],
        cwd=directory,
        env=environment(None, 0, PYTHONPATH=str(source)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(imported.stdout.strip()).is_relative_to(source), "the code of this release would run in its place"
    return source


@pytest.fixture
def releases(
    previous_source: Path, empty_database: str, smtp: SmtpServer, tmp_path: Path
) -> Iterator[tuple[Release, Release]]:
    """The previous release and this one, in production on one empty database; both send mail by `smtp`. Their servers
    are killed at the end."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        started.append(start_server(empty_database, tmp_path, **settings))
        return started[-1]

    settings = settings_of(smtp)
    previous = {"PYTHONPATH": str(previous_source)}
    yield (
        Release(empty_database, tmp_path, start, previous, settings),
        Release(empty_database, tmp_path, start, {}, settings),
    )
    for server in started:
        server.kill()


@pytest.fixture
def browse(wire: Wire) -> Iterator[Callable[..., Browser]]:
    """Opens a browser at a server: `browse(server, cookies)`. Answers of the previous release are not held to this
    one's document."""
    opened: list[Browser] = []

    def open_one(server: Server, cookies: dict[str, str] | None = None, *, previous: bool = False) -> Browser:
        opened.append(Browser(server, Unchecked(wire.document) if previous else wire))
        opened[-1].cookies |= cookies or {}
        return opened[-1]

    yield open_one
    for browser in opened:
        browser.close()


@pytest.fixture
def sql(empty_database: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection to the database of both releases."""
    with psycopg.connect(empty_database, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection
