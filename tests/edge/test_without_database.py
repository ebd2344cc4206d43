"""What goes on while the database lets nobody in."""

from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
from psycopg import sql as compose

from tests.kit.browser import Browser, refused
from tests.kit.server import Server

UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
PREFLIGHT = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "PUT"}


def test_what_needs_no_database_asks_none(
    start: Callable[..., Server], open_browser: Callable[..., Browser], server_dsn: str
) -> None:
    """Preflights, health, tokens and refusals of the edge are answered; all else says 503, and never that
    somebody is signed out. PostgreSQL itself runs, but refuses every connection, as after a password was changed."""
    browser = open_browser(start())
    user = browser.sign_up()
    name = compose.Identifier(urlsplit(browser.server.dsn).path[1:])
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(compose.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [urlsplit(browser.server.dsn).path[1:]],
        )
    assert browser.request("OPTIONS", f"/users/{user['id']}", headers=PREFLIGHT).status_code == 204
    for path in ("/healthz", "/auth/csrf-token", "/openapi.json", "/api-docs"):
        assert browser.get(path).status_code == 200
    assert browser.patch("/users/1", {}, with_csrf=False).status_code == 403
    assert browser.get("/nowhere").status_code == 404
    assert browser.get("/auth/me", cookies={"accessToken": "junk"}).status_code == 401
    for answer in (
        browser.get("/readyz"),
        browser.get("/auth/me"),
        browser.get("/users"),
        browser.login(user["email"]),
        browser.post("/auth/refresh-token"),
        browser.patch(f"/users/{user['id']}", {"name": "Never"}),
    ):
        assert refused(answer) == UNAVAILABLE
        assert answer.headers["retry-after"] == "2"
        assert "set-cookie" not in answer.headers
