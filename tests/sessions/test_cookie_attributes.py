"""Cookies as browsers hold and return them."""

from collections.abc import Callable
from http.cookies import Morsel

import pytest

from tests.kit import plain_http
from tests.kit.answers import ACCESS_COOKIE, CLEARED_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE, cookies_set
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.forging import Genuine, genuine_access, genuine_refresh
from tests.kit.server import Server
from tests.kit.stored import Sql, audited, endings, live_sessions

CSRF_COOKIE: dict[str, str | bool] = {"path": "/", "httponly": True, "samesite": "Strict"}
SECURE: dict[str, str | bool] = {"secure": True}


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_cookies_are_secure_unless_development_is_asked_for(
    start: Callable[..., Server], open_browser: Callable[..., Browser], prefix: str
) -> None:
    """With ENVIRONMENT unset all three cookies have every flag,
    no Domain, and what clears them repeats it all, or a browser would keep them."""
    server = start(ENVIRONMENT="", COOKIE_PREFIX=prefix, PUBLIC_URL="https://accounts.test")
    browser = open_browser(server)
    browser.fetch_csrf()
    assert cookies_set(browser) == {f"{prefix}_csrf": CSRF_COOKIE | SECURE}
    user = browser.sign_up()
    pair = {f"{prefix}accessToken": ACCESS_COOKIE | SECURE, f"{prefix}refreshToken": REFRESH_COOKIE | SECURE}
    known = {f"{prefix}knownDevice": DEVICE_COOKIE | SECURE}
    assert cookies_set(browser) == pair | known
    assert browser.post("/auth/refresh-token").status_code == 200
    assert cookies_set(browser) == pair
    changed = browser.post("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "Changed456!"})
    assert changed.status_code == 200
    assert cookies_set(browser) == pair
    assert browser.get("/auth/me").json()["data"] == user
    assert browser.post("/auth/logout").status_code == 200
    assert cookies_set(browser) == dict.fromkeys(pair, CLEARED_COOKIE | SECURE)
    assert all(cookie.value == "" for cookie in browser.set_cookies)


def test_a_prefix_leaves_the_bare_names_without_meaning(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """A cookie that a sibling domain could have set is not read."""
    browser = open_browser(start(COOKIE_PREFIX="__Host-"))
    browser.sign_up()
    bare = {name.removeprefix("__Host-"): value for name, value in browser.cookies.items()}
    assert refused(browser.get("/auth/me", cookies=bare)) == (401, "UNAUTHORIZED", "Unauthorized")
    csrf_only = browser.post("/auth/logout", cookies=bare)
    assert refused(csrf_only) == (403, "EBADCSRFTOKEN", "invalid csrf token")


def test_a_real_jar_is_empty_after_logout(browser: Browser) -> None:
    """A jar that follows RFC 6265 by itself holds no token any more."""
    with plain_http.client(base_url=browser.server.url) as client:
        token = client.get("/auth/csrf-token").json()["csrfToken"]
        headers = {"X-CSRF-Token": token}
        account = {"name": "Siam", "email": new_email(), "password": PASSWORD}
        assert client.post("/auth/register", json=account, headers=headers).status_code == 201
        assert client.post("/auth/login", json=account, headers=headers).status_code == 200
        assert client.get("/auth/me").status_code == 200
        assert set(client.cookies) == {"_csrf", "accessToken", "refreshToken", "knownDevice"}
        assert client.post("/auth/logout", headers=headers).status_code == 200
        assert set(client.cookies) == {"_csrf", "knownDevice"}


def test_no_answer_but_the_ones_that_should_touches_a_cookie(browser: Browser) -> None:
    """Reads, changes of the account and refusals leave the cookies as they are."""
    user = browser.sign_up()
    kept = dict(browser.cookies)
    touched: list[Morsel[str]] = []
    for method, path, body in (
        ("GET", "/auth/csrf-token", None),
        ("GET", "/auth/me", None),
        ("GET", "/users", None),
        ("PATCH", f"/users/{user['id']}", {"name": "Renamed"}),
        ("POST", "/auth/forgot-password", {"email": user["email"]}),
        ("POST", "/auth/register", {"name": "Siam", "email": new_email(), "password": PASSWORD}),
        ("POST", "/auth/login", {"email": user["email"], "password": "Wrong-password1"}),
        ("POST", "/auth/login", {"email": "x"}),
        ("POST", "/auth/reset-password", {"token": "0", "newPassword": "Changed456!"}),
        ("DELETE", f"/users/{user['id']}", None),
        ("GET", "/auth/me", None),
        ("PATCH", f"/users/{user['id']}/restore", None),
        ("POST", "/auth/refresh-token", None),
    ):
        browser.request(method, path, body)
        touched += browser.set_cookies
    assert touched == []
    assert browser.cookies == kept


@pytest.mark.parametrize("same_user", [True, False])
@pytest.mark.parametrize("cookie", ["access", "refresh", "expired access", "rotated refresh", "expired refresh"])
def test_login_ends_the_session_that_a_current_token_proves(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, cookie: str, same_user: bool
) -> None:
    """Who signs in anew leaves the session of the browser, with an audit row about its owner. An old token may be in
    somebody else's hands: it ends nothing."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    spent = browser.cookies["refreshToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    brought = {
        "access": {"accessToken": browser.cookies["accessToken"]},
        "refresh": {"refreshToken": browser.cookies["refreshToken"]},
        "expired access": {"accessToken": genuine_access(browser).changed(exp=1)},
        "rotated refresh": {"refreshToken": spent},
        "expired refresh": {"refreshToken": genuine_refresh(browser).changed(exp=1)},
    }[cookie]
    browser.cookies = {"_csrf": browser.cookies["_csrf"]} | brought
    next_user = user if same_user else other.register()
    response = browser.login(next_user["email"])
    assert response.status_code == 200
    is_current = cookie in {"access", "refresh"}
    assert endings(sql, user["id"])[0] == ("login" if is_current else None)
    assert len(live_sessions(sql, user["id"])) == 1 + same_user + (not is_current)
    revoked = [("SESSION_REVOKED", next_user["id"], user["id"])] if is_current else []
    assert audited(sql, response) == [("LOGIN", next_user["id"], next_user["id"]), *revoked]
    assert other.get("/auth/me").status_code == browser.get("/auth/me").status_code == 200


def test_a_failed_login_ends_nothing_and_forged_cookies_neither(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """Section 6: protects the signed-in from a stranger's guess, and everybody from cookies that we did not make."""
    other = open_browser()
    user, stranger = browser.sign_up(), other.sign_up()
    assert browser.login(stranger["email"], "Wrong-password1").status_code == 401
    forged = Genuine(browser.cookies["accessToken"], "not the secret at all, but long enough").changed()
    other.cookies["accessToken"] = forged
    assert other.login(stranger["email"]).status_code == 200
    assert endings(sql, user["id"]) == [None]
    assert browser.get("/auth/me").status_code == 200
