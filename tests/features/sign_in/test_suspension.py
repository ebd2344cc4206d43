"""A suspended account: the right proof is refused, and only then is it said."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.native_client import NativeClient
from tests.kit.racing import together
from tests.kit.stored import Sql, audit_rows, live_sessions

SUSPENDED = (403, "ACCOUNT_SUSPENDED", "This account is suspended")


def suspend(sql: Sql, user_id: int, until: str = "NULL") -> None:
    """Suspends a user, as an operator's statement would."""
    sql.execute(f"UPDATE users SET suspended_at = now(), suspended_until = {until} WHERE id = {user_id}")


@pytest.mark.parametrize("until", ["NULL", "now() + interval '1 hour'"])
def test_the_right_password_is_refused_and_recorded(
    browser: Browser, native: NativeClient, sql: Sql, until: str
) -> None:
    user = browser.register()
    suspend(sql, user["id"], until)
    for client in (browser, native):
        response = client.login(user["email"])
        assert refused(response) == SUSPENDED
        (row,) = audit_rows(sql, response)
        assert (row["action"], row["entity_id"], row["metadata"]["reason"]) == (
            *("LOGIN_FAILED", user["id"], "suspended"),
        )
    assert browser.cookies.keys() == {"_csrf"}
    assert live_sessions(sql, user["id"]) == []


def test_a_wrong_password_learns_nothing(browser: Browser, sql: Sql) -> None:
    user = browser.register()
    suspend(sql, user["id"])
    assert refused(browser.login(user["email"], "wrong")) == (401, "UNAUTHORIZED", "Invalid credentials")


def test_a_suspension_that_is_over_is_none(browser: Browser, sql: Sql) -> None:
    user = browser.register()
    suspend(sql, user["id"], "now() - interval '1 second'")
    assert browser.login(user["email"]).status_code == 200


def test_a_suspension_during_a_change_of_password_opens_no_session(browser: Browser, sql: Sql) -> None:
    """The change waits for the row, and then sees that the user is suspended."""
    user = browser.sign_up()
    # The session is left live, as in the moment before its ending is known.
    suspend(sql, user["id"])
    body = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    assert refused(browser.post("/auth/change-password", body)) == (401, "INVALID_TOKEN", "Invalid token")
    (session,) = live_sessions(sql, user["id"])
    assert str(session["id"]) == browser.get("/auth/sessions").json()["data"][0]["id"], "nothing was changed"


def test_logins_that_race_with_a_suspension(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Each login is before or after it: none opens a session that the suspension did not end."""
    user = browser.register()
    browsers = [open_browser() for _ in range(8)]
    for each in browsers:
        each.fetch_csrf()

    def end() -> int:
        with sql.transaction():
            sql.execute("SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE", [user["id"]])
            sql.execute("UPDATE users SET suspended_at = now() WHERE id = %s", [user["id"]])
            sql.execute("UPDATE sessions SET ended_at = now(), ended_by = 'revoked' WHERE user_id = %s", [user["id"]])
        return 0

    answers = together([*(lambda each=each: each.login(user["email"]).status_code for each in browsers), end])
    assert set(answers) <= {200, 403, 0}
    assert live_sessions(sql, user["id"]) == []
