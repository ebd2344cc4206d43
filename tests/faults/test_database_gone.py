"""PostgreSQL stops, is restarted, or stands still under a running server, which must live on and never guess."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.kit.browser import Browser, new_email, refused
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.processes import worker_of
from tests.kit.racing import wait_for_blocked
from tests.kit.routes import (
    FORGOT_PASSWORD,
    LOGIN,
    LOGOUT,
    ME,
    PATCH,
    PROTECTED,
    REFRESH,
    REGISTER,
    RESET_PASSWORD,
)
from tests.kit.server import Server
from tests.kit.stored import audited, users_with
from tests.kit.waiting import eventually

UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
NEEDS_DATABASE = (REGISTER, LOGIN, FORGOT_PASSWORD, RESET_PASSWORD, REFRESH, LOGOUT, *PROTECTED)
FROZEN_BOUND_SECONDS = 9.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A server of this module's own; each test leaves it running."""
    with own_postgres() as postgres:
        yield postgres


@pytest.fixture
def own(postgres: OwnPostgres, start: Callable[..., Server]) -> Server:
    """A server on it, which must not die of any of this: the same process answers all along."""
    return start(dsn=postgres.dsn)


@pytest.fixture
def browser(own: Server, open_browser: Callable[..., Browser]) -> Browser:
    """A browser on it."""
    return open_browser(own)


def must_be_unavailable(browser: Browser, response: httpx.Response, what: object) -> None:
    """A 503 that can be tried again soon, and that leaves the browser signed in."""
    assert refused(response) == UNAVAILABLE, what
    assert 0 < int(response.headers["retry-after"]) <= 2, what
    assert browser.set_cookies == [], what


def test_stopped_and_started_again(own: Server, browser: Browser, postgres: OwnPostgres) -> None:
    """503, never a 401 that would sign them out, and
    the same process serves again by itself, the same sessions, as soon as PostgreSQL does."""
    user = browser.sign_up()
    worker = worker_of(own)
    cookies = dict(browser.cookies)
    postgres.stop()
    try:
        for route in NEEDS_DATABASE:
            must_be_unavailable(browser, route.call(browser, user["id"]), route)
        must_be_unavailable(browser, browser.get("/readyz"), "readyz")
        assert browser.get("/healthz").status_code == 200
        assert browser.get("/auth/csrf-token").status_code == 200
        assert browser.cookies == cookies | {"_csrf": browser.cookies["_csrf"]}
    finally:
        postgres.start()
    eventually(lambda: browser.get("/readyz").status_code == 200, "it is ready again")
    assert browser.get("/auth/me").json()["data"] == user
    assert browser.patch(f"/users/{user['id']}", {"name": "Afterwards"}).status_code == 200
    assert browser.post("/auth/refresh-token").status_code == 200
    assert worker_of(own) == worker


def test_restarted_while_the_pool_is_idle(browser: Browser, postgres: OwnPostgres) -> None:
    """Pooled connections are dead (57P01), and nobody gets to know."""
    user = browser.sign_up()
    expected = {ME: 200, REFRESH: 200, PATCH: 200, LOGIN: 401, REGISTER: 201, FORGOT_PASSWORD: 200, LOGOUT: 200}
    for first, status in expected.items():
        postgres.stop()
        postgres.start()
        assert first.call(browser, user["id"]).status_code == status, first


def test_stopped_under_a_change(browser: Browser, postgres: OwnPostgres) -> None:
    """A PATCH is cut off inside its transaction. Where PostgreSQL ends the
    other transaction a moment before this one, the PATCH gets the lock and commits: then it says so."""
    user = browser.sign_up()
    url = f"/users/{user['id']}"
    with ThreadPoolExecutor(1) as thread, psycopg.connect(postgres.dsn) as holder:
        holder.execute("SELECT FROM users WHERE id = %s FOR UPDATE", [user["id"]])
        answer = thread.submit(browser.patch, url, {"name": "Never"})
        wait_for_blocked(postgres.dsn, 1)
        postgres.stop()
        try:
            happened = answer.result().status_code == 200
            if not happened:
                must_be_unavailable(browser, answer.result(), "PATCH")
        finally:
            postgres.start()
            holder.close()
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        assert len(audited(sql, answer.result())) == happened
    assert browser.get(url).json()["data"]["name"] == ("Never" if happened else user["name"])


def test_frozen(own: Server, browser: Browser, postgres: OwnPostgres, open_browser: Callable[..., Browser]) -> None:
    """503 in bounded
    time, with pooled connections and with new ones, and other requests are not held up."""
    user = browser.sign_up()
    email = new_email()
    account = {"name": "Siam", "email": email, "password": "Secret123!"}
    calls: list[Callable[[Browser], Any]] = [
        lambda b: b.get("/auth/me"),
        lambda b: b.patch(f"/users/{user['id']}", {"name": "Never"}),
        lambda b: b.post("/auth/register", account),
        lambda b: b.post("/auth/refresh-token"),
        lambda b: b.get("/users"),
    ]
    browsers = [open_browser(own) for _ in calls]
    for each in browsers:
        each.cookies, each.csrf = dict(browser.cookies), browser.csrf
    with ThreadPoolExecutor(len(calls)) as threads, postgres.frozen():
        began = time.monotonic()
        waiting = [threads.submit(call, each) for call, each in zip(calls, browsers, strict=True)]
        must_be_unavailable(browser, browser.get("/readyz"), "readyz")
        assert time.monotonic() - began < 4
        assert browser.get("/healthz").elapsed.total_seconds() < 1
        for each, answer in zip(browsers, waiting, strict=True):
            must_be_unavailable(each, answer.result(), answer)
        assert time.monotonic() - began < FROZEN_BOUND_SECONDS
    eventually(lambda: browser.get("/readyz").status_code == 200, "it is ready again")
    assert browser.get("/auth/me").json()["data"] == user
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        assert users_with(sql, email) == []
