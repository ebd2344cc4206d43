"""Every protected endpoint: no access token, no entry; and what an unusable one is answered with."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from latchkey.sessions.claims import TokenKind
from tests.kit.answers import claims_of
from tests.kit.browser import Browser, refused
from tests.kit.routes import CHANGE_PASSWORD, GET, LIST, PROTECTED, PUT, Route, minted
from tests.kit.stored import Sql, everything_of

UNAUTHORIZED = (401, "UNAUTHORIZED", "Unauthorized")
INVALID = (401, "INVALID_TOKEN", "Invalid token")
EXPIRED = (401, "TOKEN_EXPIRED", "Token expired")
every_protected_route = pytest.mark.parametrize("route", PROTECTED, ids=str)


def call(browser: Browser, route: Route, user_id: int, access: str | None) -> tuple[int, str, str]:
    """Calls a route with that access cookie and reads the refusal, which must touch no cookie."""
    token = {} if access is None else {"accessToken": access}
    response = route.call(browser, user_id, cookies={"_csrf": browser.cookies["_csrf"]} | token)
    assert "set-cookie" not in response.headers
    return refused(response)


@every_protected_route
def test_without_the_access_cookie(browser: Browser, sql: Sql, route: Route) -> None:
    """A refresh token alone, an empty cookie and one of another name are no access token."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    others = {name: value for name, value in browser.cookies.items() if name != "accessToken"}
    token = browser.cookies["accessToken"]
    assert refused(route.call(browser, user["id"], cookies=others)) == UNAUTHORIZED
    assert refused(route.call(browser, user["id"], cookies=others | {"accesstoken": token})) == UNAUTHORIZED
    assert call(browser, route, user["id"], "") == UNAUTHORIZED
    assert everything_of(sql, user["id"]) == before


@every_protected_route
def test_unusable_access_cookie(browser: Browser, open_browser: Callable[[], Browser], sql: Sql, route: Route) -> None:
    """Junk, the wrong kind, a refresh token of one's own or another's: one answer, nothing changed."""
    other = open_browser()
    user, other_user = browser.sign_up(), other.sign_up()
    before = everything_of(sql, user["id"], other_user["id"])
    unusable = (
        "junk",
        browser.cookies["refreshToken"],
        browser.cookies["accessToken"][:-1],
        other.cookies["refreshToken"],
        minted(browser.server, TokenKind.REFRESH, user["id"], uuid4()),
    )
    answers = [call(browser, route, user["id"], token) for token in unusable]
    assert answers == [INVALID] * len(unusable)
    assert everything_of(sql, user["id"], other_user["id"]) == before


@every_protected_route
def test_expired_access_token(browser: Browser, sql: Sql, route: Route) -> None:
    """Its own code, so that a client refreshes instead of signing out; no leeway."""
    user = browser.sign_up()
    session = claims_of(browser.cookies["accessToken"])["sid"]
    before = everything_of(sql, user["id"])
    assert (
        call(browser, route, user["id"], minted(browser.server, TokenKind.ACCESS, user["id"], session, age=300))
        == EXPIRED
    )
    assert everything_of(sql, user["id"]) == before


@every_protected_route
def test_session_that_has_ended(browser: Browser, route: Route) -> None:
    """Signing out counts from the moment it is answered."""
    user = browser.sign_up()
    kept = browser.cookies["accessToken"]
    assert browser.post("/auth/logout").status_code == 200
    assert call(browser, route, user["id"], kept) == INVALID


@every_protected_route
def test_access_cookie_sent_twice(browser: Browser, route: Route) -> None:
    """Two good tokens: one may be planted by a sibling domain, so neither is believed."""
    user = browser.sign_up()
    pairs = [f"{name}={value}" for name, value in browser.cookies.items()]
    doubled = "; ".join([*pairs, pairs[1]])
    assert refused(route.call(browser, user["id"], headers={"Cookie": doubled})) == INVALID


CASES: dict[str, tuple[Route, object, dict[str, Any]]] = {
    "bad id": (GET, "abc", {}),
    "too large an id": (GET, 2**31, {}),
    "somebody else's id": (PUT, 0, {}),
    "bad query": (LIST, 1, {}),
    "bad body": (CHANGE_PASSWORD, 1, {"body": {}}),
    "no JSON": (PUT, "abc", {"content": b"{", "headers": {"Content-Type": "text/plain"}}),
}


@pytest.mark.parametrize(("route", "user_id", "options"), CASES.values(), ids=CASES.keys())
def test_comes_before_everything_else(browser: Browser, route: Route, user_id: object, options: dict[str, Any]) -> None:
    """Who is asking is settled before anything is said about the request."""
    browser.fetch_csrf()
    path = "/users?page=x" if route is LIST else route.path
    answer = Route(route.method, path, route.body).call(browser, user_id, **options)
    assert refused(answer) == UNAUTHORIZED
