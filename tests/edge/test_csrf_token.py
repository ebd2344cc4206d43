"""GET /auth/csrf-token, and what every unsafe endpoint does with its token."""

from collections.abc import Callable

import pytest

from tests.kit.answers import cookies_set
from tests.kit.browser import Browser, refused
from tests.kit.routes import REGISTER, UNSAFE, Route
from tests.kit.stored import Sql, everything_of

REFUSED = (403, "EBADCSRFTOKEN", "invalid csrf token")


def test_first_call_sets_the_cookie_and_returns_the_token(browser: Browser) -> None:
    """The one endpoint without an envelope; its cookie lives as long as the browser."""
    response = browser.get("/auth/csrf-token")
    assert response.status_code == 200
    assert response.json().keys() == {"csrfToken"}
    assert cookies_set(browser) == {"_csrf": {"path": "/", "httponly": True, "samesite": "Strict"}}
    assert response.json()["csrfToken"] not in browser.cookies["_csrf"]
    made = REGISTER.call(browser, headers={"X-CSRF-Token": response.json()["csrfToken"]})
    assert made.status_code == 201


def test_second_call_keeps_the_cookie_and_the_earlier_token(browser: Browser) -> None:
    """Two tabs share one cookie: the token of the first must survive the second."""
    first = browser.fetch_csrf()
    second = browser.fetch_csrf()
    assert second != first
    assert cookies_set(browser) == {}
    for token in (first, second):
        assert REGISTER.call(browser, headers={"X-CSRF-Token": token}).status_code == 201


@pytest.mark.parametrize("cookie", ["", "junk", "a" * 22 + "." + "b" * 43])
def test_cookie_that_is_not_ours_is_replaced(browser: Browser, cookie: str) -> None:
    """A planted cookie must not become the one that tokens are made for."""
    browser.cookies["_csrf"] = cookie
    token = browser.fetch_csrf()
    assert browser.cookies["_csrf"] != cookie
    assert REGISTER.call(browser, headers={"X-CSRF-Token": token}).status_code == 201


@pytest.mark.parametrize("header", ["X-CSRF-Token", "x-csrf-token", "csrf-token"])
def test_either_header_carries_the_token(browser: Browser, header: str) -> None:
    """node-api-postgres took both names."""
    token = browser.fetch_csrf()
    assert REGISTER.call(browser, with_csrf=False, headers={header: token}).status_code == 201


@pytest.mark.parametrize("route", UNSAFE, ids=str)
def test_unsafe_endpoint_refuses_without_the_pair(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql, route: Route
) -> None:
    """All eleven; without the token, without the cookie, with another browser's token."""
    user_id = browser.sign_up()["id"]
    tokens_only = {name: value for name, value in browser.cookies.items() if name != "_csrf"}
    mine, other = browser.csrf or "", open_browser().fetch_csrf()
    before = everything_of(sql, user_id)
    answers = (
        route.call(browser, user_id, with_csrf=False),
        route.call(browser, user_id, headers={"X-CSRF-Token": ""}),
        route.call(browser, user_id, headers={"X-CSRF-Token": mine}, cookies=tokens_only),
        route.call(browser, user_id, headers={"X-CSRF-Token": other}),
    )
    assert [refused(answer) for answer in answers] == [REFUSED] * 4
    assert "set-cookie" not in answers[0].headers
    assert everything_of(sql, user_id) == before


def test_one_token_stays_good_across_login_refresh_and_logout(browser: Browser) -> None:
    """Clients of node-api-postgres fetch it once."""
    token = browser.fetch_csrf()
    user = browser.sign_up()
    assert browser.post("/auth/refresh-token").status_code == 200
    assert browser.post("/auth/logout").status_code == 200
    assert browser.login(user["email"]).status_code == 200
    assert browser.csrf == token
