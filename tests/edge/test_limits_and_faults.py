"""The refusals that are not about one endpoint: too large, too often, no database."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.kit import plain_http
from tests.kit.browser import Browser, refused
from tests.kit.routes import (
    FORGOT_PASSWORD,
    LIST,
    LOGIN,
    LOGOUT,
    PROTECTED,
    REFRESH,
    REGISTER,
    RESET_PASSWORD,
    UNSAFE,
    Route,
)
from tests.kit.server import Server
from tests.kit.stored import Sql, everything_of

TOO_LARGE = (413, "PAYLOAD_TOO_LARGE", "Request body too large")
LIMIT = 10_240


def chunks(size: int) -> Iterator[bytes]:
    """A body of that size without a Content-Length."""
    for start in range(0, size, 1000):
        yield b" " * min(1000, size - start)


@pytest.mark.parametrize("route", [*UNSAFE, LIST], ids=str)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_body_of_one_byte_too_many(browser: Browser, sql: Sql, route: Route, content_type: str) -> None:
    """On every route, of any type, even where no body is wanted; nothing happens."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = route.call(browser, user["id"], content=b" " * (LIMIT + 1), headers={"Content-Type": content_type})
    assert refused(response) == TOO_LARGE
    assert everything_of(sql, user["id"]) == before


def test_body_of_the_whole_limit(browser: Browser) -> None:
    """10 240 bytes are read; spaces around the object do not matter to JSON."""
    user = browser.sign_up()
    content = b'{"name":"New Name"}'.ljust(LIMIT)
    headers = {"Content-Type": "application/json"}
    assert browser.request("PATCH", f"/users/{user['id']}", content=content, headers=headers).status_code == 200


@pytest.mark.parametrize(("size", "answer"), [(LIMIT, 400), (LIMIT + 1, 413), (100_000, 413)])
def test_body_in_chunks_is_counted_too(browser: Browser, size: int, answer: int) -> None:
    """Counted while reading, whatever the client says or does not say of its length."""
    browser.fetch_csrf()
    headers = {
        "Content-Type": "application/json",
        "X-CSRF-Token": browser.csrf or "",
        "Cookie": f"_csrf={browser.cookies['_csrf']}",
    }
    response = plain_http.post(f"{browser.server.url}/auth/login", content=chunks(size), headers=headers)
    assert response.status_code == answer, response.text


def test_too_many_requests(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """The refusal and its headers; 403 and 404 have counted like everything else."""
    browser = open_browser(start(RATE_LIMIT="4/minute"))
    statuses = [
        browser.get("/auth/csrf-token").status_code,
        browser.get("/nowhere").status_code,
        browser.post("/auth/login", {}, with_csrf=False).status_code,
        browser.get("/users").status_code,
    ]
    assert statuses == [200, 404, 403, 401]
    response = browser.get("/users")
    assert refused(response) == (429, "RATE_LIMITED", "Too many requests, please try again later.")
    assert response.headers["ratelimit-policy"] == "4;w=60"
    assert response.headers["ratelimit-limit"] == "4"
    assert response.headers["ratelimit-remaining"] == "0"
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert browser.get("/healthz").status_code == browser.get("/readyz").status_code == 200


def test_no_database(start: Callable[..., Server], open_browser: Callable[..., Browser], server_dsn: str) -> None:
    """503 with Retry-After on what needs it, never a 401 or a cookie; what needs none goes on."""
    server = start()
    browser, stranger = open_browser(server), open_browser(server)
    user = browser.sign_up()
    name = urlsplit(server.dsn).path.removeprefix("/")
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    for route in (REGISTER, LOGIN, FORGOT_PASSWORD, RESET_PASSWORD, REFRESH, LOGOUT, *PROTECTED):
        response = route.call(browser, user["id"])
        assert refused(response) == (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable"), route
        assert 0 < int(response.headers["retry-after"]) <= 2
        assert "set-cookie" not in response.headers
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/healthz").status_code == 200
    assert refused(REFRESH.call(stranger)) == (401, "INVALID_REQUEST", "Refresh token required")
    assert refused(LIST.call(stranger)) == (401, "UNAUTHORIZED", "Unauthorized")
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
    assert browser.get("/auth/me").json()["data"] == user


def test_connections_cut_while_idle(
    start: Callable[..., Server], open_browser: Callable[..., Browser], server_dsn: str
) -> None:
    """What a restart of PostgreSQL does to the pool is noticed before anything is lost: nobody sees a 500."""
    server = start()
    browser = open_browser(server)
    user = browser.sign_up()
    name = urlsplit(server.dsn).path.removeprefix("/")
    cut = "SELECT count(pg_terminate_backend(pid)) AS cut FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        for number in range(20):
            assert connection.execute(cut, [name]).fetchone() != (0,)
            answers = [browser.patch(f"/users/{user['id']}", {"name": f"Name {number}"}), browser.get("/auth/me")]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert answers[1].json()["data"]["name"] == f"Name {number}"
