"""POST /auth/login."""

import hashlib
from collections.abc import Callable

import bcrypt
import httpx
import pytest

from tests.kit.answers import ACCESS_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE, claims_of, cookies_set, succeeded
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.routes import LOGIN
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions, user_row

REFUSED = (401, "UNAUTHORIZED", "Invalid credentials")


def test_opens_a_session(browser: Browser, sql: Sql) -> None:
    """Two cookies, two tokens of one session, the hash of one of them stored, one audit row."""
    user = browser.register()
    response = browser.login(user["email"])
    assert succeeded(response) == (200, "Login successful", {"user": user})
    assert cookies_set(browser) == {
        "accessToken": ACCESS_COOKIE,
        "refreshToken": REFRESH_COOKIE,
        "knownDevice": DEVICE_COOKIE,
    }

    access, refresh = browser.cookies["accessToken"], browser.cookies["refreshToken"]
    (session,) = live_sessions(sql, user["id"])
    assert session["token_hash"] == hashlib.sha256(refresh.encode()).digest()
    assert (session["ip"], session["user_agent"]) == ("127.0.0.1", response.request.headers["user-agent"])
    for token, kind, lifetime in ((access, "access", 300), (refresh, "refresh", 86_400)):
        claims = claims_of(token)
        names = {"sub", "id", "sid", "jti", "typ", "iat", "exp"}
        assert claims.keys() == (names | {"role", "amr", "auth_time", "iss", "aud"} if kind == "access" else names)
        assert (claims["sub"], claims["id"]) == (str(user["id"]), user["id"])
        assert (claims["sid"], claims["typ"]) == (str(session["id"]), kind)
        assert claims["exp"] - claims["iat"] == lifetime
    assert claims_of(access)["jti"] != claims_of(refresh)["jti"]

    assert audited(sql, response) == [("LOGIN", user["id"], user["id"])]
    assert audit_rows(sql, response)[0]["metadata"]["sessionId"] == str(session["id"])


def test_tokens_are_nowhere_but_in_their_cookies(browser: Browser, sql: Sql) -> None:
    """Never in a body, a log or, raw, in the database."""
    user = browser.register()
    response = browser.login(user["email"])
    tokens = [browser.cookies["accessToken"], browser.cookies["refreshToken"]]
    assert browser.get("/auth/me").status_code == 200
    places = [response.text, browser.server.printed(), repr(everything_of(sql, user["id"]))]
    assert not [place for place in places for token in tokens if token in place or PASSWORD in place]


@pytest.mark.parametrize("change", [str.upper, str.title], ids=["upper", "title"])
def test_address_is_compared_without_case(browser: Browser, change: Callable[[str], str]) -> None:
    """node-api-postgres stored addresses in lower case and compared as typed: `Siam@…` could never sign in."""
    user = browser.register()
    assert browser.login(change(user["email"])).json()["data"]["user"] == user


@pytest.mark.parametrize(
    ("before", "after"), [(" ", ""), ("", " "), ("\t\r\n ", "\n\n"), (" " * 200, " " * 200)], ids=ascii
)
def test_white_space_around_an_address_is_ignored(browser: Browser, sql: Sql, before: str, after: str) -> None:
    """Phone keyboards add it. The device is known afterwards, with either spelling."""
    user = browser.register()
    response = browser.login(f"{before}{user['email'].upper()}{after}")
    assert response.json()["data"]["user"] == user
    assert audited(sql, response) == [("LOGIN", user["id"], user["id"])]
    known = browser.cookies["knownDevice"]
    assert browser.login(user["email"]).status_code == 200
    assert browser.cookies["knownDevice"] == known


def test_refusals_are_the_same_to_the_byte(browser: Browser, sql: Sql) -> None:
    """An unknown address, a wrong password and a deleted user differ in the audit log only."""
    user, deleted = browser.register(), browser.register()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [deleted["id"]])
    unknown = LOGIN.call(browser)
    wrong = browser.login(user["email"], "Wrong-password1")
    gone = browser.login(deleted["email"])
    answers = (unknown, wrong, gone)
    assert [refused(answer) for answer in answers] == [REFUSED] * 3
    assert len({answer.content for answer in answers}) == 1
    assert len({_stable_headers(answer) for answer in answers}) == 1
    assert audited(sql, unknown) == [("LOGIN_FAILED", None, None)]
    assert audited(sql, wrong) == [("LOGIN_FAILED", None, user["id"])]
    assert audited(sql, gone) == [("LOGIN_FAILED", None, None)]
    assert live_sessions(sql, user["id"]) == []


def _stable_headers(response: httpx.Response) -> tuple[tuple[str, str], ...]:
    passing = {"x-request-id", "date", "ratelimit-remaining", "ratelimit-reset"}
    return tuple((name, value) for name, value in response.headers.multi_items() if name not in passing)


def test_failure_sets_and_clears_no_cookie_and_ends_nothing(browser: Browser, sql: Sql) -> None:
    """A mistyped password on a device that is signed in must not sign it out."""
    user = browser.sign_up()
    assert refused(browser.login(user["email"], "Wrong-password1")) == REFUSED
    assert cookies_set(browser) == {}
    assert len(live_sessions(sql, user["id"])) == 1
    assert browser.get("/auth/me").status_code == 200


def test_two_devices_stay_signed_in(open_browser: Callable[[], Browser], sql: Sql) -> None:
    """node-api-postgres kept one refresh token a user: the second device broke the first."""
    laptop, phone = open_browser(), open_browser()
    user = laptop.sign_up()
    assert phone.login(user["email"]).status_code == 200
    assert len(live_sessions(sql, user["id"])) == 2
    for device in (laptop, phone):
        assert device.post("/auth/refresh-token").status_code == 200
        assert device.get("/auth/me").status_code == 200


def test_login_over_a_live_session_ends_it(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """Signing in as B on a device of A leaves only B's cookies, and A's session there ended."""
    other_device = open_browser()
    first = browser.sign_up()
    assert other_device.login(first["email"]).status_code == 200
    second = browser.register()
    old_access = browser.cookies["accessToken"]
    assert browser.login(second["email"]).status_code == 200
    assert endings(sql, first["id"]) == ["login", None]
    assert browser.get("/auth/me").json()["data"] == second
    assert other_device.get("/auth/me").json()["data"] == first
    mixed = browser.cookies | {"accessToken": old_access}
    assert refused(browser.get("/auth/me", cookies=mixed)) == (401, "INVALID_TOKEN", "Invalid token")


@pytest.mark.parametrize(
    "stored",
    ["", "not a hash", "$2b$04$tooshort", "$2b$99$" + "a" * 53, "$1$04$" + "a" * 53],
    ids=["empty", "text", "short", "rounds", "md5"],
)
def test_corrupt_hash_is_a_wrong_password(browser: Browser, sql: Sql, stored: str) -> None:
    """One bad row must be neither a 500 nor a way in."""
    user = browser.register()
    sql.execute("UPDATE users SET password = %s WHERE id = %s", [stored, user["id"]])
    assert refused(browser.login(user["email"])) == REFUSED
    assert user_row(sql, user["id"])["password"] == stored


def test_hash_of_other_rounds_is_renewed(browser: Browser, sql: Sql) -> None:
    """Raising BCRYPT_ROUNDS reaches the accounts that exist, at their next login."""
    user = browser.register()
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    sql.execute("UPDATE users SET password = %s WHERE id = %s", [old, user["id"]])
    assert browser.login(user["email"]).status_code == 200
    assert user_row(sql, user["id"])["password"].startswith("$2b$04$")
    assert browser.login(user["email"]).status_code == 200
