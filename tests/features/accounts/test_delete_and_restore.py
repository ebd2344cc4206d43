"""DELETE /users/:id and PATCH /users/:id/restore."""

from collections.abc import Callable

import pytest

from latchkey.sessions.claims import TokenKind
from tests.kit.answers import claims_of, cookies_set, succeeded
from tests.kit.browser import Browser, refused
from tests.kit.routes import LOGIN, PROTECTED, RESTORE, Route, minted
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions, user_row

INVALID = (401, "INVALID_TOKEN", "Invalid token")


def delete(browser: Browser, user_id: int) -> None:
    """Deletes the account that is signed in there."""
    assert browser.delete(f"/users/{user_id}").status_code == 200


def test_delete_marks_the_account_and_ends_all_sessions(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql
) -> None:
    """Answers with the user and touches no cookie. The row stays, and one audit row names the session."""
    other_device = open_browser()
    user = browser.sign_up()
    other_device.login(user["email"])
    response = browser.delete(f"/users/{user['id']}")
    assert succeeded(response) == (200, "User deleted successfully", user)
    assert cookies_set(browser) == {}
    row = user_row(sql, user["id"])
    session = claims_of(browser.cookies["accessToken"])["sid"]
    assert row["is_deleted"] is True
    assert row["deleted_at"] is not None
    assert str(row["deleted_by_session"]) == session
    assert (row["name"], row["email"]) == (user["name"], user["email"])
    assert endings(sql, user["id"]) == ["deletion", "deletion"]
    assert audited(sql, response) == [("DELETE_USER", user["id"], user["id"])]
    assert audit_rows(sql, response)[0]["metadata"]["sessionId"] == session
    assert refused(other_device.get("/auth/me")) == INVALID


def test_deleted_account_is_gone_everywhere(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """From the list, by id and at login. Its refresh token counts as ended, not as reused."""
    watcher = open_browser()
    watcher.sign_up()
    user = browser.sign_up()
    delete(browser, user["id"])
    assert user["id"] not in [listed["id"] for listed in watcher.get("/users?limit=100").json()["data"]]
    assert refused(watcher.get(f"/users/{user['id']}")) == (404, "USER_NOT_FOUND", "User not found")
    assert open_browser().login(user["email"]).content == LOGIN.call(watcher).content
    response = browser.post("/auth/refresh-token")
    assert refused(response) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert audited(sql, response) == []


@pytest.mark.parametrize("route", [route for route in PROTECTED if route is not RESTORE], ids=str)
def test_deleting_session_may_do_nothing_but_restore(browser: Browser, sql: Sql, route: Route) -> None:
    """That alone."""
    user = browser.sign_up()
    delete(browser, user["id"])
    before = everything_of(sql, user["id"])
    assert refused(route.call(browser, user["id"])) == INVALID
    assert everything_of(sql, user["id"]) == before


def test_restore_brings_the_account_back_but_no_session(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql
) -> None:
    """With the access token that deleted it; then one signs in again."""
    user = browser.sign_up()
    delete(browser, user["id"])
    response = browser.patch(f"/users/{user['id']}/restore")
    assert succeeded(response) == (200, "User restored successfully", user)
    assert cookies_set(browser) == {}
    row = user_row(sql, user["id"])
    assert (row["is_deleted"], row["deleted_at"], row["deleted_by_session"]) == (False, None, None)
    assert audited(sql, response) == [("RESTORE_USER", user["id"], user["id"])]
    assert live_sessions(sql, user["id"]) == []
    assert refused(browser.get("/auth/me")) == INVALID
    assert refused(browser.patch(f"/users/{user['id']}/restore")) == INVALID
    assert refused(browser.post("/auth/refresh-token"))[1] == "INVALID_TOKEN"
    assert open_browser().login(user["email"]).json()["data"]["user"] == user


def test_another_session_of_the_user_cannot_restore(
    browser: Browser, open_browser: Callable[[], Browser], sql: Sql
) -> None:
    """Only the session that deleted the account may restore it."""
    other_device = open_browser()
    user = browser.sign_up()
    other_device.login(user["email"])
    delete(browser, user["id"])
    before = everything_of(sql, user["id"])
    assert refused(other_device.patch(f"/users/{user['id']}/restore")) == INVALID
    assert everything_of(sql, user["id"]) == before


def test_restore_ends_with_the_access_token(browser: Browser, sql: Sql) -> None:
    """After five minutes only an operator can. A refresh token does not replace the access token."""
    user = browser.sign_up()
    delete(browser, user["id"])
    session = claims_of(browser.cookies["accessToken"])["sid"]
    expired = browser.cookies | {"accessToken": minted(browser.server, TokenKind.ACCESS, user["id"], session, age=301)}
    without = {name: value for name, value in browser.cookies.items() if name != "accessToken"}
    url = f"/users/{user['id']}/restore"
    assert refused(browser.patch(url, cookies=expired)) == (401, "TOKEN_EXPIRED", "Token expired")
    assert refused(browser.patch(url, cookies=without)) == (401, "UNAUTHORIZED", "Unauthorized")
    assert user_row(sql, user["id"])["is_deleted"] is True


def test_nothing_to_restore(browser: Browser, sql: Sql) -> None:
    """The account is active: node-api-postgres's own words, and no row."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.patch(f"/users/{user['id']}/restore")
    assert refused(response) == (404, "USER_NOT_FOUND", "User not found or already active")
    assert everything_of(sql, user["id"]) == before


def test_address_taken_meanwhile(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """409 with its own message. The account stays deleted, and the new owner unchanged."""
    user = browser.sign_up()
    delete(browser, user["id"])
    newcomer = open_browser().register(user["email"].upper())
    before = everything_of(sql, user["id"], newcomer["id"])
    response = browser.patch(f"/users/{user['id']}/restore")
    assert refused(response) == (
        409,
        "EMAIL_ALREADY_EXISTS",
        "Cannot restore user: email already in use",
    )
    assert audited(sql, response) == []
    assert everything_of(sql, user["id"], newcomer["id"]) == before


def test_account_deleted_by_an_operator_cannot_be_restored_here(browser: Browser, sql: Sql) -> None:
    """Those come back by the operator's command line."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true, deleted_at = now() WHERE id = %s", [user["id"]])
    sql.execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s", [user["id"]])
    assert refused(browser.patch(f"/users/{user['id']}/restore")) == INVALID
    assert user_row(sql, user["id"])["is_deleted"] is True


def test_second_delete(browser: Browser, sql: Sql) -> None:
    """An account that an operator deleted under a live session: 404, and no second row."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    response = browser.delete(f"/users/{user['id']}")
    assert refused(response) == (404, "USER_NOT_FOUND", "User not found")
    assert audited(sql, response) == []
