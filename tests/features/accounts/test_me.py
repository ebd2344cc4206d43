"""GET /auth/me."""

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import Browser, refused
from tests.kit.stored import Sql, everything_of


def test_says_who_is_signed_in(browser: Browser, sql: Sql) -> None:
    """How a front end, which cannot read httpOnly cookies, learns who is signed in. It writes nothing."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.get("/auth/me")
    assert succeeded(response) == (200, "Success", user)
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers
    assert cookies_set(browser) == {}
    assert everything_of(sql, user["id"]) == before


def test_account_deleted_under_a_live_session_is_signed_out(browser: Browser, sql: Sql) -> None:
    """A deleted user who asks for their account gets the 401 that makes a client sign in, not a 404."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    assert refused(browser.get("/auth/me")) == (401, "INVALID_TOKEN", "Invalid token")
