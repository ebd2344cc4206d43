"""Fixtures for tests that talk to a real server over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from latchkey.app import Settings
from tests.kit import plain_http
from tests.kit.browser import Browser, Member
from tests.kit.native_client import NativeClient
from tests.kit.server import Server, start_server
from tests.kit.services import Service
from tests.kit.wire import Wire

if TYPE_CHECKING:
    # Imported by the fixtures: aiosmtpd takes a tenth of a second, and every run imports this module.
    from tests.kit.smtp_server import SmtpServer


@pytest.fixture(scope="session")
def server(session_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server for all tests of this pytest worker: development, cheap hashes, practically no rate limit.

    Tests share it and its database, so each test makes its own users and counts only their rows.
    """
    running = start_server(session_database, tmp_path_factory.mktemp("server"))
    yield running
    code = running.stop()
    assert code == 0, running.printed()


@pytest.fixture(scope="session")
def wire(server: Server) -> Wire:
    """Returns the shared server's OpenAPI document, which checks every answer."""
    return Wire(plain_http.get(f"{server.url}/openapi.json", timeout=10).json())


@pytest.fixture
def open_browser(server: Server, wire: Wire) -> Iterator[Callable[..., Browser]]:
    """Opens browsers with empty jars, on the shared server or another: `open_browser()`, `open_browser(other)`."""
    opened: list[Browser] = []

    def open_one(on: Server | None = None, **options: Any) -> Browser:
        opened.append(Browser(on or server, wire, **options))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def open_native(server: Server, wire: Wire) -> Iterator[Callable[..., NativeClient]]:
    """Opens native clients, on the shared server or another: `open_native()`, `open_native(other)`."""
    opened: list[NativeClient] = []

    def open_one(on: Server | None = None) -> NativeClient:
        opened.append(NativeClient(on or server, wire))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def native(open_native: Callable[..., NativeClient]) -> NativeClient:
    """Opens a native client on the shared server."""
    return open_native()


@pytest.fixture
def browser(open_browser: Callable[..., Browser]) -> Browser:
    """Opens a browser with an empty jar on the shared server."""
    return open_browser()


@pytest.fixture
def open_service(server: Server, wire: Wire) -> Iterator[Callable[..., Service]]:
    """Opens servers of an app: `open_service(key)`, `open_service(key, on=other)`."""
    opened: list[Service] = []

    def open_one(key: str | None = None, *, on: Server | None = None) -> Service:
        opened.append(Service(on or server, wire, key))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def member(server: Server, wire: Wire) -> Iterator[Member]:
    """Signs somebody in, once for all tests of a module: for requests that are refused and change nothing."""
    browser = Browser(server, wire)
    yield Member(browser, browser.sign_up()["id"])
    browser.close()


@pytest.fixture
def start(database: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with the test's settings, all on one fresh migrated database: `start(RATE_LIMIT="5/minute")`.

    They are killed at the end of the test. If the exit matters, the test stops the server.
    """
    started: list[Server] = []

    def start_one(*, dsn: str | None = None, **settings: str) -> Server:
        started.append(start_server(dsn or database, tmp_path, **settings))
        return started[-1]

    yield start_one
    for each in started:
        each.kill()


@pytest.fixture
def sql(server: Server) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Opens a connection to the shared server's database, in autocommit. Rows are dictionaries."""
    with psycopg.connect(server.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
def own_sql(database: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Opens a connection as `sql` does, to the database of the servers that `start` starts."""
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Removes the developer's own settings from the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("NODE_ENV", *(name.upper() for name in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def smtp() -> Iterator["SmtpServer"]:
    """Starts a mail server that accepts every mail."""
    from tests.kit.smtp_server import SmtpServer

    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailing(start: Callable[..., Server], smtp: "SmtpServer") -> Server:
    """Starts a Latchkey that sends through `smtp`."""
    from tests.kit.smtp_server import settings_of

    return start(**settings_of(smtp))
