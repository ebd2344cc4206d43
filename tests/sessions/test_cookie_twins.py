"""Several cookies of one name: another application on the same host has left its own on a narrower path."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import genuine_access, genuine_refresh
from tests.kit.server import Server
from tests.kit.stored import Sql, endings, everything_of

INVALID = (401, "INVALID_TOKEN", "Invalid token")
EXPIRED = (401, "TOKEN_EXPIRED", "Token expired")
INVALID_REFRESH = (401, "INVALID_TOKEN", "Invalid refresh token")
NO_CSRF = (403, "EBADCSRFTOKEN", "invalid csrf token")
STALE = ("", "planted", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")


def header(browser: Browser, name: str, *values: str) -> dict[str, str]:
    """The Cookie header of the jar with these values of one name, in this order, and the other cookies."""
    others = [(other, value) for other, value in browser.cookies.items() if other != name]
    return {"Cookie": "; ".join(f"{key}={value}" for key, value in [*((name, value) for value in values), *others])}


def orders(ours: str) -> list[tuple[str, ...]]:
    """Our value among stale ones, up to four in all."""
    return [(ours, *STALE), (*STALE, ours), (STALE[1], ours), (ours, STALE[0]), (STALE[2], ours, STALE[1])]


def test_the_access_token_that_verifies_counts(browser: Browser) -> None:
    user = browser.sign_up()
    token = genuine_access(browser)
    for values in [*orders(token.token), (token.changed(exp=1), token.token)]:
        response = browser.get("/auth/me", headers=header(browser, "accessToken", *values))
        assert response.json()["data"] == user, values
        body = {"name": "Renamed"}
        path = f"/users/{user['id']}"
        assert browser.patch(path, body, headers=header(browser, "accessToken", *values)).status_code == 200
        user["name"] = "Renamed"


def test_no_access_token_or_several(browser: Browser, open_browser: Callable[[], Browser]) -> None:
    """None: what the first is refused for. Two that are good, were it the same one, and five of any kind: refused."""
    browser.sign_up()
    other = open_browser()
    other.sign_up()
    token = genuine_access(browser)
    expired = token.changed(exp=1)
    cases = {
        (expired, "planted"): EXPIRED,
        ("planted", expired): INVALID,
        ("", expired): INVALID,
        (token.token, token.token): INVALID,
        (token.token, other.cookies["accessToken"]): INVALID,
        (*STALE, "another", token.token): INVALID,
    }
    for values, expected in cases.items():
        answer = browser.get("/auth/me", headers=header(browser, "accessToken", *values))
        assert refused(answer) == expected, values


def test_refresh_tokens(browser: Browser, sql: Sql) -> None:
    user = browser.sign_up()
    for number in range(5):
        values = orders(browser.cookies["refreshToken"])[number]
        answer = browser.post("/auth/refresh-token", headers=header(browser, "refreshToken", *values))
        assert answer.status_code == 200, values
    token = genuine_refresh(browser)
    before = everything_of(sql, user["id"])
    for values in (
        (token.token, token.token),
        ("planted", token.changed(exp=1)),
        (token.changed(exp=1), "planted"),
        ("", ""),
        (*STALE, "another", token.token),
    ):
        answer = browser.post("/auth/refresh-token", headers=header(browser, "refreshToken", *values))
        assert refused(answer) == INVALID_REFRESH, values
    assert everything_of(sql, user["id"]) == before


def test_logout(browser: Browser, sql: Sql) -> None:
    """It ends the session of the value that verifies, or, as ever, of an expired one that comes first."""
    user = browser.sign_up()
    kept = dict(browser.cookies)
    del browser.cookies["accessToken"]
    sent = header(browser, "refreshToken", *STALE, kept["refreshToken"])
    assert browser.post("/auth/logout", headers=sent).status_code == 200
    assert browser.login(user["email"]).status_code == 200
    expired = genuine_access(browser).changed(exp=1)
    del browser.cookies["refreshToken"]
    assert browser.post("/auth/logout", headers=header(browser, "accessToken", expired, "planted")).status_code == 200
    assert endings(sql, user["id"]) == ["logout", "logout"]


def test_csrf_cookies(browser: Browser, open_browser: Callable[[], Browser]) -> None:
    user = browser.sign_up()
    other = open_browser()
    other.fetch_csrf()
    ours, path = browser.cookies["_csrf"], f"/users/{user['id']}"
    for values in orders(ours):
        assert browser.patch(path, {"name": "Renamed"}, headers=header(browser, "_csrf", *values)).status_code == 200
        again = browser.get("/auth/csrf-token", headers=header(browser, "_csrf", *values))
        assert "set-cookie" not in again.headers, "the pair stays"
    for values in ((ours, ours), (ours, other.cookies["_csrf"]), (*STALE, "another", ours), ("", "planted")):
        answer = browser.patch(path, {"name": "Again"}, headers=header(browser, "_csrf", *values))
        assert refused(answer) == NO_CSRF, values


def test_known_devices(browser: Browser, open_browser: Callable[[], Browser]) -> None:
    """A twin does not make a stranger of the owner's device, and the cookie goes on as it was."""
    user = browser.sign_up()
    stranger = open_browser()
    for _ in range(5):
        assert stranger.login(user["email"], "Wrong-password1").status_code == 401
    ours = browser.cookies["knownDevice"]
    stranger.sign_up()
    for values in [*orders(ours), (stranger.cookies["knownDevice"], ours)]:
        body = {"email": user["email"], "password": PASSWORD}
        answer = browser.post("/auth/login", body, headers=header(browser, "knownDevice", *values))
        assert answer.status_code == 200, values
        assert browser.cookies["knownDevice"] == ours


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ({}, ["/auth", "/users"]),
        ({"ROOT_PATH": "/accounts"}, ["/accounts/auth", "/accounts/users", "/accounts"]),
        ({"COOKIE_PREFIX": "__Host-", "ENVIRONMENT": "", "PUBLIC_URL": "https://accounts.test"}, []),
    ],
)
def test_login_removes_twins_where_they_may_be(
    start: Callable[..., Server], open_browser: Callable[..., Browser], settings: dict[str, str], paths: list[str]
) -> None:
    """In front of the cookies themselves: who ignores paths, too, is signed in afterwards."""
    browser = open_browser(start(**settings))
    browser.sign_up()
    twins = [(cookie.key, cookie["path"]) for cookie in browser.set_cookies if cookie["max-age"] == "0"]
    assert twins == [(name, path) for path in paths for name in ("accessToken", "refreshToken")]
    assert [cookie["max-age"] for cookie in browser.set_cookies].index("900") == len(twins)
    assert browser.get("/auth/me").status_code == 200
