"""POST /auth/refresh-token: one request at a time. Races and leeway are the sessions' own tests."""

import hashlib
from collections.abc import Callable
from uuid import uuid4

import httpx

from latchkey.sessions.claims import TokenKind
from tests.kit.answers import ACCESS_COOKIE, REFRESH_COOKIE, claims_of, cookies_set, succeeded
from tests.kit.browser import Browser, refused
from tests.kit.routes import minted
from tests.kit.stored import Sql, audited, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")


def refresh_with(browser: Browser, token: str | None) -> httpx.Response:
    """Refreshes with exactly that refresh token."""
    cookies = {"_csrf": browser.cookies["_csrf"]} | ({} if token is None else {"refreshToken": token})
    return browser.post("/auth/refresh-token", cookies=cookies)


def test_rotates_both_cookies(browser: Browser, sql: Sql) -> None:
    """The same session, new tokens, the old hash gone, and no audit row: it is no sign-in."""
    user = browser.sign_up()
    old_access, old_refresh = browser.cookies["accessToken"], browser.cookies["refreshToken"]
    response = browser.post("/auth/refresh-token")
    assert succeeded(response) == (200, "Token refreshed", None)
    assert cookies_set(browser) == {"accessToken": ACCESS_COOKIE, "refreshToken": REFRESH_COOKIE}
    access, refresh = browser.cookies["accessToken"], browser.cookies["refreshToken"]
    assert access != old_access
    assert refresh != old_refresh
    assert claims_of(refresh)["sid"] == claims_of(access)["sid"] == claims_of(old_refresh)["sid"]
    (session,) = live_sessions(sql, user["id"])
    assert session["token_hash"] == hashlib.sha256(refresh.encode()).digest()
    assert audited(sql, response) == []
    assert browser.get("/auth/me").status_code == 200


def test_refresh_token_alone_is_enough(browser: Browser) -> None:
    """The access cookie is gone after 15 minutes; that is what refreshing is for."""
    browser.sign_up()
    del browser.cookies["accessToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    assert browser.get("/auth/me").status_code == 200


def test_without_the_cookie(browser: Browser) -> None:
    """An empty cookie is none."""
    browser.sign_up()
    for token in (None, ""):
        response = refresh_with(browser, token)
        assert refused(response) == (401, "INVALID_REQUEST", "Refresh token required")
        assert "set-cookie" not in response.headers


def test_tokens_that_do_not_verify_change_nothing(browser: Browser, sql: Sql) -> None:
    """Junk, another kind, an altered or an expired one: 401, no cookie touched, no session ended."""
    user = browser.sign_up()
    access, refresh = browser.cookies["accessToken"], browser.cookies["refreshToken"]
    session = claims_of(refresh)["sid"]
    head, payload, signature = refresh.split(".")
    before = everything_of(sql, user["id"])
    bad = {
        "junk": "junk",
        "access token": access,
        "altered signature": f"{head}.{payload}.{signature[:-4]}AAAA",
        "unsigned": f"{head}.{payload}.",
        "expired": minted(browser.server, TokenKind.REFRESH, user["id"], session, age=86_401),
    }
    answers = {name: refresh_with(browser, token) for name, token in bad.items()}
    assert {name: refused(answer) for name, answer in answers.items()} == dict.fromkeys(bad, INVALID)
    assert not [name for name, answer in answers.items() if "set-cookie" in answer.headers]
    assert everything_of(sql, user["id"]) == before
    assert browser.post("/auth/refresh-token").status_code == 200


def test_cookie_sent_twice_is_refused(browser: Browser, sql: Sql) -> None:
    """Nobody can tell which of the two the browser was given by us; neither counts as reuse."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    pairs = [f"{name}={value}" for name, value in browser.cookies.items()]
    doubled = "; ".join([*pairs, "refreshToken=" + browser.cookies["refreshToken"]])
    assert refused(browser.post("/auth/refresh-token", headers={"Cookie": doubled})) == INVALID
    assert everything_of(sql, user["id"]) == before


def test_reuse_ends_every_session_of_the_user(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """node-api-postgres's promise: a rotated token that comes back is theft; one audit row says so."""
    other_device, bystander = open_browser(), open_browser()
    user, unconcerned = browser.sign_up(), bystander.sign_up()
    other_device.login(user["email"])
    stolen = browser.cookies["refreshToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    response = refresh_with(browser, stolen)
    assert refused(response) == REUSED
    assert "set-cookie" not in response.headers
    assert endings(sql, user["id"]) == ["reuse", "reuse"]
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user["id"], user["id"])]
    for device in (browser, other_device):
        assert refused(device.get("/auth/me")) == (401, "INVALID_TOKEN", "Invalid token")
        assert refused(device.post("/auth/refresh-token")) == INVALID
    assert len(live_sessions(sql, unconcerned["id"])) == 1


def test_genuine_token_of_a_session_that_never_was_is_reuse(browser: Browser, sql: Sql) -> None:
    """Somebody signs tokens with our secret, or a database was set back."""
    user = browser.sign_up()
    response = refresh_with(browser, minted(browser.server, TokenKind.REFRESH, user["id"], uuid4()))
    assert refused(response) == REUSED
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user["id"], user["id"])]
    assert live_sessions(sql, user["id"]) == []


def test_token_of_an_ended_session_is_only_refused(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql
) -> None:
    """Else whoever keeps an old token could sign the owner out at will."""
    other_device = open_browser()
    user = browser.sign_up()
    other_device.login(user["email"])
    kept = browser.cookies["refreshToken"]
    assert browser.post("/auth/logout").status_code == 200
    before = everything_of(sql, user["id"])
    response = refresh_with(browser, kept)
    assert refused(response) == INVALID
    assert audited(sql, response) == []
    assert everything_of(sql, user["id"]) == before
    assert other_device.get("/auth/me").status_code == 200
