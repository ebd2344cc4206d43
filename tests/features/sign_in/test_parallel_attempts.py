"""Attempts at one account, all at once, on one instance and on two that share a store: five guesses and no more."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser
from tests.kit.racing import crowd
from tests.kit.redis_server import RedisServer
from tests.kit.server import Server
from tests.kit.stored import Sql

CROWD = 100
FREE = 5


@pytest.fixture
def store(require: Callable[[str], str], tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis with nothing in it."""
    server = RedisServer(require("redis-server"), tmp_path).start()
    yield server
    server.kill()


@pytest.fixture(params=["memory", "one", "two"])
def browsers(
    request: pytest.FixtureRequest, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> list[Browser]:
    """A browser on each instance."""
    if request.param == "memory":
        return [open_browser(start())]
    url = f"redis://{request.getfixturevalue('store').address}"
    return [open_browser(start(RATE_LIMIT_STORAGE=url)) for _ in range(2 if request.param == "two" else 1)]


def attempts(browsers: list[Browser], email: str, password: str) -> list[httpx.Response]:
    """So many attempts at once by strangers, spread over all instances."""
    share = [{"email": email, "password": password}] * (CROWD // len(browsers))
    for each in browsers:
        each.fetch_csrf()
    with ThreadPoolExecutor(len(browsers)) as threads:
        answers = threads.map(lambda each: crowd(each, "/auth/login", share), browsers)
        return [answer for some in answers for answer in some]


def test_five_guesses_are_made(browsers: list[Browser], own_sql: Sql) -> None:
    user = browsers[0].register()
    answers = attempts(browsers, user["email"], "Wrong-password1")
    assert {answer.status_code for answer in answers} <= {401, 429, 503}
    failed = own_sql.execute(
        "SELECT created_at FROM audit_logs WHERE action = 'LOGIN_FAILED' AND entity_id = %s ORDER BY created_at",
        [user["id"]],
    ).fetchall()
    assert len(failed) == [answer.status_code for answer in answers].count(401)
    assert len(failed) >= FREE
    # On a machine that is so busy that a second has passed, the next one is right.
    late = [row["created_at"] - failed[FREE - 1]["created_at"] for row in failed[FREE:]]
    assert all(time.total_seconds() > 0.8 for time in late), late


def test_the_right_password_is_never_slowed(browsers: list[Browser]) -> None:
    """Without a failure, no attempt has to wait. The hashing queue may be full."""
    user = browsers[0].register()
    answers = attempts(browsers, user["email"], PASSWORD)
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert [answer.status_code for answer in answers].count(200) > FREE
    assert browsers[-1].login(user["email"], "Wrong-password1").status_code == 401
    assert browsers[-1].login(user["email"]).status_code == 200
