"""PostgreSQL has no connection left for us (53300): max_connections, or the limit of our role."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql as compose

from tests.kit.browser import Browser, refused
from tests.kit.processes import worker_of
from tests.kit.server import Server
from tests.kit.waiting import eventually

UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """The name of a role, not a superuser, that may do everything in the test's database."""
    name = f"limited_{uuid4().hex}"
    role = compose.Identifier(name)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(compose.SQL("CREATE ROLE {} LOGIN").format(role))
        for what in ("TABLES", "SEQUENCES"):
            grant = compose.SQL("GRANT ALL ON ALL {} IN SCHEMA public TO {}")
            connection.execute(grant.format(compose.SQL(what), role))
        yield name
        connection.execute(compose.SQL("DROP OWNED BY {}").format(role))
        connection.execute(compose.SQL("DROP ROLE {}").format(role))


def test_no_connection_left(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str, role: str
) -> None:
    """503 at once, and it passes by itself."""
    parts = urlsplit(database)
    server = start(dsn=parts._replace(netloc=parts.netloc.replace("postgres@", f"{role}@")).geturl())
    browser = open_browser(server)
    user = browser.sign_up()
    worker = worker_of(server)
    with psycopg.connect(database, autocommit=True) as connection:
        limit = compose.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        connection.execute(limit.format(compose.Identifier(role), compose.Literal(0)))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])
        for answer in (
            browser.get("/auth/me"),
            browser.patch(f"/users/{user['id']}", {"name": "Never"}),
            browser.post("/auth/refresh-token"),
            browser.get("/readyz"),
        ):
            assert refused(answer) == UNAVAILABLE
            assert answer.headers["retry-after"] == "2"
            assert "set-cookie" not in answer.headers
            assert answer.elapsed.total_seconds() < 2, "there is nothing to wait for"
        assert browser.get("/healthz").status_code == 200
        connection.execute(limit.format(compose.Identifier(role), compose.Literal(-1)))
    eventually(lambda: browser.get("/auth/me").status_code == 200, "it goes on by itself")
    assert browser.get("/auth/me").json()["data"] == user
    assert worker_of(server) == worker
