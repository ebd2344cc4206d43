"""One embedded PostgreSQL for the whole test run, shared by all pytest workers, and its databases for tests."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from xdist.workermanage import WorkerController

from latchkey.database.embedded.postgres import EmbeddedPostgres, start
from latchkey.database.migrate import migrate
from latchkey.database.pool import connect

TEMPLATE = "template_migrated"
TEMPLATE_LOCK = 1

# A power cut may lose test data. Each worker has servers with their own pools.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    # Each new database is some MB of log: used again soon, it costs a quarter of what writing new files does.
    "wal_init_zero": "off",
    "max_wal_size": "'128MB'",
}

RUNNING = pytest.StashKey[EmbeddedPostgres]()
DIRECTORY = pytest.StashKey[Path]()
DSN = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Starts the server before any worker, in pytest's main process."""
    config = session.config
    # What a shell starts in the background ignores Ctrl-C, and so would every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        config.stash[DSN] = config.workerinput["postgres_dsn"]
        return
    if config.option.collectonly:
        return
    # Like Ctrl-C: the code below stops and removes everything.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.stash[DIRECTORY] = directory = Path(tempfile.mkdtemp(prefix="latchkey-tests-"))
    # Passable, so that the server logs no warning if root runs the tests.
    directory.chmod(0o711)
    with start(directory) as fresh, psycopg.connect(fresh.dsn, autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
    config.stash[RUNNING] = start(directory)
    config.stash[DSN] = config.stash[RUNNING].dsn


def pytest_configure_node(node: WorkerController) -> None:
    """Passes the server's address to a worker."""
    node.workerinput["postgres_dsn"] = node.config.stash[DSN]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the server and removes its data, also after Ctrl-C."""
    if RUNNING in config.stash:
        config.stash[RUNNING].stop()
    if DIRECTORY in config.stash:
        shutil.rmtree(config.stash[DIRECTORY])


@pytest.fixture(scope="session")
def server_dsn(pytestconfig: pytest.Config) -> str:
    """Returns the DSN of a database of the shared server, to create others from."""
    return pytestconfig.stash[DSN]


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[str]:
    """Returns the DSN of a new empty database."""
    with _new_database(server_dsn, "template0") as dsn:
        yield dsn


@pytest.fixture
def database(server_dsn: str, migrated_template: str) -> Iterator[str]:
    """Returns the DSN of a new database at the newest schema, for one test."""
    with _new_database(server_dsn, migrated_template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def session_database(server_dsn: str, migrated_template: str) -> Iterator[str]:
    """Returns the DSN of a database at the newest schema that all tests of this worker share."""
    with _new_database(server_dsn, migrated_template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def migrated_template(server_dsn: str) -> str:
    """Returns the name of a template database at the newest schema. The first worker that asks makes it."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            draft = f"{TEMPLATE}_draft"
            connection.execute(f"CREATE DATABASE {draft} TEMPLATE template0")
            url = _on_same_server(server_dsn, draft)
            asyncio.run(migrate(partial(connect, url, production=False)))
            connection.execute(f"ALTER DATABASE {draft} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")
            connection.execute(f"ALTER DATABASE {draft} RENAME TO {TEMPLATE}")
    return TEMPLATE


@contextmanager
def _new_database(server_dsn: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield _on_same_server(server_dsn, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _on_same_server(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()
