"""Which access tokens name a session at a logout, and prove one at a login, when keys change."""

from collections.abc import Callable

from tests.kit.browser import Browser
from tests.kit.forging import Genuine, genuine_access, signed
from tests.kit.key_rows import add_key, age_keys
from tests.kit.native_client import NativeClient
from tests.kit.server import ACCESS_SECRET, Server
from tests.kit.signing_keys import read_key
from tests.kit.stored import Sql, endings
from tests.kit.waiting import eventually

CHANGE_OVER_SECONDS = 700


def by_unheard_key(token: str, server: Server, sql: Sql) -> str:
    """Returns that access token as another instance signs it, with a key that this one has not heard of yet."""
    kid = add_key(sql, signs_in=0)
    key = read_key(server.dsn)
    assert key is not None
    assert key.kid == kid
    return Genuine(token, ACCESS_SECRET, key).changed()


def test_a_logout_ends_the_session_of_a_token_by_a_key_that_is_news(
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    open_native: Callable[..., NativeClient],
    own_sql: Sql,
) -> None:
    """An answer that says "logged out" is true, however lately another instance has made the key."""
    server = start()
    user = open_browser(server).register()
    native = open_native(server)
    native.login(user["email"])
    token = by_unheard_key(native.access, server, own_sql)
    assert native.post("/auth/logout", bearer=token).status_code == 200
    assert endings(own_sql, user["id"]) == ["logout"]


def test_a_login_ends_the_session_of_a_token_by_a_key_that_is_news(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    server = start()
    browser = open_browser(server)
    user = browser.sign_up()
    browser.cookies["accessToken"] = by_unheard_key(browser.cookies["accessToken"], server, own_sql)
    del browser.cookies["refreshToken"]
    assert browser.login(user["email"]).status_code == 200
    assert endings(own_sql, user["id"]) == ["login", None]


def test_after_the_change_to_keys_the_secret_proves_no_session(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Other programs may have had JWT_ACCESS_SECRET. Its tokens count as expired: they end a session at a logout only."""
    browser = open_browser(start())
    user = browser.sign_up()
    age_keys(own_sql, seconds=CHANGE_OVER_SECONDS)
    by_secret = signed(genuine_access(browser).claims, ACCESS_SECRET)
    cookies = {"_csrf": browser.cookies["_csrf"], "accessToken": by_secret}
    eventually(
        lambda: browser.get("/auth/me", cookies=cookies).json().get("code") == "TOKEN_EXPIRED",
        "the secret signs no more",
    )
    browser.cookies = dict(cookies)
    assert browser.login(user["email"]).status_code == 200
    assert endings(own_sql, user["id"]) == [None, None]
    browser.cookies = dict(cookies)
    assert browser.post("/auth/logout").status_code == 200
    assert endings(own_sql, user["id"]) == ["logout", None]
