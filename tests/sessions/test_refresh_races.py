"""One refresh token used several times at once, with leeway 0: exactly one use rotates."""

from collections.abc import Callable

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import refresh_with
from tests.kit.racing import crowd, held_until_blocked, together, twins
from tests.kit.stored import Sql, endings, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
LOCK_SESSION = "SELECT FROM sessions WHERE user_id = %s FOR UPDATE"
ROUNDS = 25
CROWD = 50


def reuse_rows(sql: Sql, user_id: int) -> int:
    """How many alarms there were for that user."""
    return sql.execute(
        "SELECT FROM audit_logs WHERE entity_id = %s AND action = 'TOKEN_REUSE_DETECTED'", [user_id]
    ).rowcount


def check_one_won(browser: Browser, answers: list[httpx.Response], sql: Sql, user_id: int) -> None:
    """Exactly one 200; the others are refused without a cookie; one alarm, and nothing of the user lives on."""
    (won,) = [answer for answer in answers if answer.status_code == 200]
    lost = [answer for answer in answers if answer is not won]
    assert {refused(answer) for answer in lost} <= {INVALID, REUSED}
    assert REUSED in {refused(answer) for answer in lost}
    assert not [answer for answer in lost if "set-cookie" in answer.headers]
    assert reuse_rows(sql, user_id) == 1
    assert live_sessions(sql, user_id) == []
    assert refused(refresh_with(browser, won.cookies["refreshToken"])) == INVALID


def test_a_crowd_with_one_token(browser: Browser, sql: Sql) -> None:
    """Of 50 uses at once one rotates, and the alarm rings once."""
    user = browser.sign_up()
    check_one_won(browser, crowd(browser, "/auth/refresh-token", [None] * CROWD), sql, user["id"])


def test_two_with_one_token_again_and_again(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Never two successors of one token, in any order."""
    user = browser.register()
    pair = twins(browser, 2, open_browser)
    for alarms in range(ROUNDS):
        assert browser.login(user["email"]).status_code == 200
        for each in pair:
            each.cookies = dict(browser.cookies)
        answers = together([lambda each=each: each.post("/auth/refresh-token") for each in pair])
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        assert reuse_rows(sql, user["id"]) == alarms + 1
        assert live_sessions(sql, user["id"]) == []


def test_a_race_in_the_last_day_of_a_session_rings_too(browser: Browser, sql: Sql) -> None:
    """There rotation takes a second statement, and who loses at that one is reuse as well."""
    user = browser.sign_up()
    sql.execute("UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE user_id = %s", [user["id"]])
    with held_until_blocked(browser.server.dsn, 2, LOCK_SESSION, user["id"]):
        answers = crowd(browser, "/auth/refresh-token", [None, None])
    check_one_won(browser, answers, sql, user["id"])


@pytest.mark.parametrize("ending", ["logout", "change", "delete"])
def test_no_session_survives_its_end_by_a_refresh_at_that_moment(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, ending: str
) -> None:
    """However a refresh falls in with it, what it handed out is dead afterwards."""
    other = open_browser()
    user = browser.sign_up()
    other.login(user["email"])
    (twin,) = twins(other, 1, open_browser)
    end: dict[str, Callable[[], httpx.Response]] = {
        "logout": lambda: other.post("/auth/logout"),
        "change": lambda: browser.post(
            "/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
        ),
        "delete": lambda: browser.delete(f"/users/{user['id']}"),
    }
    rounds = 10 if ending == "logout" else 1
    for _ in range(rounds):
        ended, answer = together([end[ending], lambda: twin.post("/auth/refresh-token")])
        assert ended.status_code == 200
        if answer.status_code != 200:
            assert refused(answer) == INVALID
        assert refused(refresh_with(twin, twin.cookies["refreshToken"])) == INVALID
        if ending == "logout":
            other.login(user["email"])
            twin.cookies = dict(other.cookies)
    assert reuse_rows(sql, user["id"]) == 0
    live = {"logout": 2, "change": 1, "delete": 0}[ending]
    assert len(live_sessions(sql, user["id"])) == live
    assert "reuse" not in endings(sql, user["id"])
