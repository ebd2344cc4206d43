"""POST /auth/change-password."""

from collections.abc import Callable

from tests.kit.answers import ACCESS_COOKIE, REFRESH_COOKIE, claims_of, cookies_set, succeeded
from tests.kit.browser import PASSWORD, Browser, bad_fields, refused
from tests.kit.routes import NEW_PASSWORD
from tests.kit.stored import (
    Sql,
    audit_rows,
    audited,
    endings,
    everything_of,
    plant_reset_token,
    user_row,
)

URL = "/auth/change-password"


def test_sets_the_password_and_keeps_only_this_device(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql
) -> None:
    """All sessions end, this browser gets a new one; one row, and no LOGIN."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    old = dict(browser.cookies)
    response = browser.post(URL, {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
    assert succeeded(response) == (200, "Password changed successfully", None)
    assert cookies_set(browser) == {"accessToken": ACCESS_COOKIE, "refreshToken": REFRESH_COOKIE}
    assert sorted(map(str, endings(sql, user["id"]))) == ["None", "password-change", "password-change"]
    assert audited(sql, response) == [("CHANGE_PASSWORD", user["id"], user["id"])]
    metadata = audit_rows(sql, response)[0]["metadata"]
    assert metadata.keys() == {"ip", "userAgent", "requestId", "sessionId", "changed"}
    assert metadata["changed"] == ["password"]
    assert metadata["sessionId"] == claims_of(old["accessToken"])["sid"]

    assert browser.get("/auth/me").json()["data"] == user
    assert browser.post("/auth/refresh-token").status_code == 200
    assert other.get("/auth/me").status_code == browser.get("/auth/me", cookies=old).status_code == 401
    assert refused(other.post("/auth/refresh-token")) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert other.login(user["email"]).status_code == 401
    assert other.login(user["email"], NEW_PASSWORD).status_code == 200


def test_wrong_current_password(browser: Browser, sql: Sql) -> None:
    """A session left open is not enough to take over an account."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.post(URL, {"currentPassword": "Wrong-password1", "newPassword": NEW_PASSWORD})
    assert refused(response) == (400, "VALIDATION_ERROR", "Current password is incorrect")
    assert "errors" not in response.json()
    assert cookies_set(browser) == {}
    assert everything_of(sql, user["id"]) == before
    assert browser.get("/auth/me").status_code == 200


def test_new_password_must_differ(browser: Browser, sql: Sql) -> None:
    """New is not current."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.post(URL, {"currentPassword": PASSWORD, "newPassword": PASSWORD})
    assert bad_fields(response) == {"newPassword"}
    assert everything_of(sql, user["id"]) == before


def test_ends_a_pending_reset_link(browser: Browser, sql: Sql) -> None:
    """A link in a mailbox that a stranger reads must not outlive the change that it caused."""
    user = browser.sign_up()
    plant_reset_token(sql, user["id"], "ab" * 32)
    assert browser.post(URL, {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}).status_code == 200
    row = user_row(sql, user["id"])
    assert (row["reset_token"], row["reset_token_expires"]) == (None, None)
