"""Rotation over a session's whole life: only the newest token counts, on every instance."""

import random
from collections.abc import Callable

import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import refresh_with
from tests.kit.injecting import refusing
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
ROTATIONS = 50


def refreshed(browser: Browser) -> str:
    """Refreshes and returns the token that was spent."""
    spent = browser.cookies["refreshToken"]
    response = browser.post("/auth/refresh-token")
    assert response.status_code == 200, response.text
    return spent


def test_fifty_rotations_leave_one_live_token(browser: Browser, sql: Sql) -> None:
    """One row however often, and any of the spent tokens, old or new, is the alarm."""
    user = browser.sign_up()
    spent = [refreshed(browser) for _ in range(ROTATIONS)]
    newest = browser.cookies["refreshToken"]
    assert len({*spent, newest}) == ROTATIONS + 1
    assert len(live_sessions(sql, user["id"])) == len(endings(sql, user["id"])) == 1
    random.shuffle(spent)
    first = refresh_with(browser, spent[0])
    assert refused(first) == REUSED
    later = [refresh_with(browser, token) for token in [*spent[1:], newest]]
    assert {refused(response) for response in later} == {INVALID}
    assert [audited(sql, response) for response in later] == [[]] * len(later)
    assert endings(sql, user["id"]) == ["reuse"]


def test_the_alarm_says_who_where_and_which_session(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """One row, with the address and session of the token that came back."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    spent = refreshed(browser)
    response = refresh_with(browser, spent)
    (row,) = audit_rows(sql, response)
    assert row["action"] == "TOKEN_REUSE_DETECTED"
    assert row["metadata"] == {
        "ip": "127.0.0.1",
        "userAgent": response.request.headers["user-agent"],
        "requestId": response.headers["x-request-id"],
        "sessionId": claims_of(spent)["sid"],
    }
    assert endings(sql, user["id"]) == ["reuse", "reuse"]


def test_two_devices_refresh_in_turns(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    for _ in range(10):
        refreshed(browser)
        refreshed(other)
    assert len(live_sessions(sql, user["id"])) == 2


@pytest.mark.parametrize("ending", ["logout", "change", "delete"])
def test_a_kept_token_of_an_ended_session_disturbs_nobody(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, ending: str
) -> None:
    """Refused, and no alarm."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    kept = [refreshed(other), other.cookies["refreshToken"]]
    if ending == "logout":
        assert other.post("/auth/logout").status_code == 200
    elif ending == "change":
        body = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
        assert browser.post("/auth/change-password", body).status_code == 200
    else:
        assert browser.delete(f"/users/{user['id']}").status_code == 200
    before = everything_of(sql, user["id"])
    for token in kept:
        assert refused(refresh_with(other, token)) == INVALID
        assert other.set_cookies == []
    assert everything_of(sql, user["id"]) == before
    assert browser.get("/auth/me").status_code == (401 if ending == "delete" else 200)


def test_a_session_past_its_cap_is_over(browser: Browser, sql: Sql) -> None:
    """After the cap no refresh counts, and it is no reuse."""
    user = browser.sign_up()
    spent = refreshed(browser)
    sql.execute("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = %s", [user["id"]])
    before = everything_of(sql, user["id"])
    for token in (browser.cookies["refreshToken"], spent):
        response = refresh_with(browser, token)
        assert refused(response) == INVALID
        assert audit_rows(sql, response) == []
    assert everything_of(sql, user["id"]) == before


def test_no_token_outlives_the_cap(browser: Browser, sql: Sql) -> None:
    """Both tokens end with the session, and rotation goes on."""
    user = browser.sign_up()
    (session,) = live_sessions(sql, user["id"])
    assert round((session["expires_at"] - session["created_at"]).total_seconds()) == 30 * 86_400
    for left in ("23 hours 59.123457 minutes", "100.987654 seconds"):
        sql.execute("UPDATE sessions SET expires_at = now() + %s::interval WHERE user_id = %s", [left, user["id"]])
        refreshed(browser)
        (session,) = live_sessions(sql, user["id"])
        cap = int(session["expires_at"].timestamp())
        access, refresh = (claims_of(browser.cookies[name])["exp"] for name in ("accessToken", "refreshToken"))
        assert refresh == cap
        assert access == min(cap, claims_of(browser.cookies["accessToken"])["iat"] + 300)
    assert browser.get("/auth/me").status_code == 200
    spent = refreshed(browser)
    assert refused(refresh_with(browser, spent)) == REUSED


def test_a_restart_forgets_nothing(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """A token spent before a crash is reuse after it, and the
    newest goes on."""
    before = start()
    browser, bystander = open_browser(before), open_browser(before)
    browser.sign_up()
    bystander.sign_up()
    spent = refreshed(browser)
    before.kill()
    after = start()
    again, other = open_browser(after), open_browser(after)
    again.cookies, other.cookies = dict(browser.cookies), dict(bystander.cookies)
    again.csrf, other.csrf = browser.csrf, bystander.csrf
    refreshed(other)
    assert refused(refresh_with(again, spent)) == REUSED
    assert refused(again.post("/auth/refresh-token")) == INVALID
    refreshed(other)


@pytest.mark.parametrize("state", ["53100", "40001", "40P01", "57014", "25006"])
def test_a_failing_database_costs_no_session(browser: Browser, sql: Sql, state: str) -> None:
    """503 without a cookie, and the old token still works."""
    user = browser.sign_up()
    with refusing(sql, "UPDATE", "sessions", f"NEW.user_id = {user['id']}", state):
        before = everything_of(sql, user["id"])
        response = browser.post("/auth/refresh-token")
        assert refused(response) == (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
        assert response.headers["retry-after"] == "2"
        assert browser.set_cookies == []
        assert everything_of(sql, user["id"]) == before
    refreshed(browser)
    assert browser.get("/auth/me").status_code == 200
