"""POST /auth/logout: either token is enough, and whatever is left of one."""

from collections.abc import Callable

import pytest

from latchkey.sessions.claims import TokenKind
from tests.kit import plain_http
from tests.kit.answers import CLEARED_COOKIE, claims_of, cookies_set, succeeded
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.routes import minted
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of

DONE = (200, "Logged out successfully", None)
BOTH_CLEARED = {"accessToken": CLEARED_COOKIE, "refreshToken": CLEARED_COOKIE}


def test_ends_the_session_and_clears_both_cookies(browser: Browser, sql: Sql) -> None:
    """The clearing lines repeat the attributes, or browsers keep the cookies."""
    user = browser.sign_up()
    kept = dict(browser.cookies)
    response = browser.post("/auth/logout")
    assert succeeded(response) == DONE
    assert cookies_set(browser) == BOTH_CLEARED
    assert [cookie.value for cookie in browser.set_cookies] == ["", ""]
    assert browser.cookies.keys() == {"_csrf", "knownDevice"}
    assert endings(sql, user["id"]) == ["logout"]
    assert audited(sql, response) == [("LOGOUT", user["id"], user["id"])]
    assert audit_rows(sql, response)[0]["metadata"]["sessionId"] == claims_of(kept["accessToken"])["sid"]
    assert refused(browser.get("/auth/me", cookies=kept)) == (401, "INVALID_TOKEN", "Invalid token")


def test_real_cookie_jar_is_empty_after_it(server: Server) -> None:
    """By the rules of RFC 6265, as the standard library's jar keeps them."""
    with plain_http.client(base_url=server.url) as client:
        headers = {"X-CSRF-Token": client.get("/auth/csrf-token").json()["csrfToken"]}
        account = {"name": "Siam", "email": new_email(), "password": PASSWORD}
        assert client.post("/auth/register", json=account, headers=headers).status_code == 201
        assert client.post("/auth/login", json=account, headers=headers).status_code == 200
        assert set(client.cookies) == {"_csrf", "accessToken", "refreshToken", "knownDevice"}
        assert client.post("/auth/logout", headers=headers).status_code == 200
        assert set(client.cookies) == {"_csrf", "knownDevice"}


@pytest.mark.parametrize("left", ["accessToken", "refreshToken"])
def test_one_cookie_is_enough(browser: Browser, sql: Sql, left: str) -> None:
    """node-api-postgres wanted a live access token, so that nobody could sign out after five minutes."""
    user = browser.sign_up()
    cookies = {name: value for name, value in browser.cookies.items() if name in {"_csrf", left}}
    response = browser.post("/auth/logout", cookies=cookies)
    assert succeeded(response) == DONE
    assert cookies_set(browser) == BOTH_CLEARED
    assert endings(sql, user["id"]) == ["logout"]


def test_other_device_stays_signed_in(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """Logging out is for one device."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    assert browser.post("/auth/logout").status_code == 200
    assert endings(sql, user["id"]) == ["logout", None]
    assert other.get("/auth/me").status_code == 200


def test_expired_access_token_still_names_its_session(browser: Browser, sql: Sql) -> None:
    """It proves which session is meant."""
    user = browser.sign_up()
    session = claims_of(browser.cookies["accessToken"])["sid"]
    expired = minted(browser.server, TokenKind.ACCESS, user["id"], session, age=301)
    cookies = {"_csrf": browser.cookies["_csrf"], "accessToken": expired}
    assert succeeded(browser.post("/auth/logout", cookies=cookies)) == DONE
    assert endings(sql, user["id"]) == ["logout"]


def test_rotated_refresh_token_signs_out_without_an_alarm(browser: Browser, sql: Sql) -> None:
    """A tab that lost the race for a refresh may still sign out; that is no reuse."""
    user = browser.sign_up()
    rotated = {"_csrf": browser.cookies["_csrf"], "refreshToken": browser.cookies["refreshToken"]}
    assert browser.post("/auth/refresh-token").status_code == 200
    response = browser.post("/auth/logout", cookies=rotated)
    assert succeeded(response) == DONE
    assert endings(sql, user["id"]) == ["logout"]
    assert audited(sql, response) == [("LOGOUT", user["id"], user["id"])]


def test_cookies_of_two_sessions_end_both(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """Each genuine cookie names its session; each session gets its own row."""
    other = open_browser()
    user, second = browser.sign_up(), other.sign_up()
    mixed = browser.cookies | {"refreshToken": other.cookies["refreshToken"]}
    response = browser.post("/auth/logout", cookies=mixed)
    assert succeeded(response) == DONE
    assert sorted(audited(sql, response)) == [
        ("LOGOUT", user["id"], user["id"]),
        ("LOGOUT", second["id"], second["id"]),
    ]
    assert endings(sql, user["id"]) == endings(sql, second["id"]) == ["logout"]


@pytest.mark.parametrize("name", ["accessToken", "refreshToken"])
def test_unusable_cookie_is_cleared(browser: Browser, sql: Sql, name: str) -> None:
    """Whoever holds a broken cookie wants to be rid of it; nothing else happens."""
    browser.fetch_csrf()
    cookies = {"_csrf": browser.cookies["_csrf"], name: "junk"}
    response = browser.post("/auth/logout", cookies=cookies)
    assert succeeded(response) == DONE
    assert cookies_set(browser) == BOTH_CLEARED
    assert audited(sql, response) == []


def test_second_logout_records_nothing(browser: Browser, sql: Sql) -> None:
    """No change, no row; but the answer is the same, since the cookies came."""
    user = browser.sign_up()
    kept = dict(browser.cookies)
    assert browser.post("/auth/logout").status_code == 200
    before = everything_of(sql, user["id"])
    assert succeeded(browser.post("/auth/logout", cookies=kept)) == DONE
    assert everything_of(sql, user["id"]) == before


def test_without_cookies(browser: Browser) -> None:
    """Nobody is signed in here."""
    response = browser.post("/auth/logout")
    assert refused(response) == (401, "UNAUTHORIZED", "Unauthorized")
    assert "set-cookie" not in response.headers
