"""Clients that were signed in at node-api-postgres when its database was migrated."""

import time
from collections.abc import Callable

import pytest

from tests.kit.answers import ACCESS_COOKIE, REFRESH_COOKIE, claims_of, cookies_set
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import refresh_with
from tests.kit.original_tokens import DAY, adopt, original_token
from tests.kit.racing import crowd
from tests.kit.server import ACCESS_SECRET
from tests.kit.stored import Sql, audit_rows, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")


def test_is_honoured_once_for_a_pair_of_ours(browser: Browser, sql: Sql) -> None:
    """Who was signed in stays signed in, and from then on with tokens of ours."""
    user = browser.register()
    token = original_token(user["id"])
    adopt(sql, user["id"], token)
    response = refresh_with(browser, token)
    assert response.json() == {"success": True, "message": "Token refreshed", "data": None}
    assert cookies_set(browser) == {"accessToken": ACCESS_COOKIE, "refreshToken": REFRESH_COOKIE}
    assert audit_rows(sql, response) == []
    assert browser.get("/auth/me").json()["data"] == user
    (session,) = live_sessions(sql, user["id"])
    assert session["original_token_hash"] is None
    assert claims_of(browser.cookies["refreshToken"])["sid"] == str(session["id"])
    assert browser.post("/auth/refresh-token").status_code == 200


def test_its_replay_is_refused_and_ends_nothing(browser: Browser, sql: Sql) -> None:
    """Such a token names no session, so its replay cannot be told from a stranger's."""
    user = browser.register()
    token = original_token(user["id"])
    adopt(sql, user["id"], token)
    assert refresh_with(browser, token).status_code == 200
    before = everything_of(sql, user["id"])
    response = refresh_with(browser, token)
    assert refused(response) == INVALID
    assert browser.set_cookies == []
    assert audit_rows(sql, response) == []
    assert everything_of(sql, user["id"]) == before
    assert browser.post("/auth/refresh-token").status_code == 200


def test_a_crowd_with_one_original_token(browser: Browser, sql: Sql) -> None:
    """Of 20 uses at the same moment one succeeds; the winner's session lives on."""
    user = browser.register()
    browser.cookies["refreshToken"] = token = original_token(user["id"])
    adopt(sql, user["id"], token)
    answers = crowd(browser, "/auth/refresh-token", [None] * 20)
    (won,) = [answer for answer in answers if answer.status_code == 200]
    assert {refused(answer) for answer in answers if answer is not won} == {INVALID}
    assert refresh_with(browser, won.cookies["refreshToken"]).status_code == 200
    assert endings(sql, user["id"]) == [None]


def test_any_other_token_of_that_shape_is_refused_and_ends_nothing(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """Only the very token that was stored counts."""
    user, stranger = browser.sign_up(), open_browser().register()
    stored = original_token(user["id"])
    adopt(sql, user["id"], stored)
    before = everything_of(sql, user["id"], stranger["id"])
    now = int(time.time())
    for token in (
        original_token(user["id"], age=3_600),
        original_token(stranger["id"]),
        original_token(user["id"], age=DAY),
        original_token(user["id"], secret=ACCESS_SECRET),
        original_token(user["id"], secret="x" * 40),
        original_token(user["id"], exp=str(now + DAY)),
        original_token(user["id"], typ="refresh"),
        original_token(user["id"], sub=str(user["id"])),
        stored[:-4] + "AAAA",
    ):
        response = refresh_with(browser, token)
        assert refused(response) == INVALID
        assert audit_rows(sql, response) == []
    assert everything_of(sql, user["id"], stranger["id"]) == before
    assert refresh_with(browser, stored).status_code == 200


@pytest.mark.parametrize("flaw", ["expired", "another's", "past the cap"])
def test_a_stored_one_that_should_not_count(browser: Browser, sql: Sql, flaw: str) -> None:
    """The hash alone is not enough, the token must be in time, its user's, its session live."""
    user = browser.register()
    token = {
        "expired": original_token(user["id"], age=DAY),
        "another's": original_token(user["id"] - 1),
        "past the cap": original_token(user["id"]),
    }[flaw]
    adopt(sql, user["id"], token, lasts="-1 second" if flaw == "past the cap" else "30 days")
    before = everything_of(sql, user["id"])
    assert refused(refresh_with(browser, token)) == INVALID
    browser.cookies["refreshToken"] = token
    assert browser.post("/auth/logout").status_code == 200
    assert everything_of(sql, user["id"]) == before


def test_the_pair_never_outlives_the_cap(browser: Browser, sql: Sql) -> None:
    user = browser.register()
    token = original_token(user["id"])
    adopt(sql, user["id"], token, lasts="1 hour")
    assert refresh_with(browser, token).status_code == 200
    (session,) = live_sessions(sql, user["id"])
    assert claims_of(browser.cookies["refreshToken"])["exp"] == int(session["expires_at"].timestamp())


@pytest.mark.parametrize("ending", ["logout", "login", "reset by an operator's hand"])
def test_ends_like_any_other(browser: Browser, sql: Sql, ending: str) -> None:
    """The cookie names its session, and then it is over."""
    user = browser.register()
    token = original_token(user["id"])
    adopt(sql, user["id"], token)
    browser.cookies["refreshToken"] = token
    if ending == "logout":
        assert browser.post("/auth/logout").status_code == 200
        assert browser.cookies.keys() == {"_csrf"}
        assert endings(sql, user["id"]) == ["logout"]
    elif ending == "login":
        assert browser.login(user["email"]).status_code == 200
        assert endings(sql, user["id"]) == ["login", None]
    else:
        sql.execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s", [user["id"]])
    assert refused(refresh_with(browser, token)) == INVALID


def test_change_of_password_ends_it(browser: Browser, sql: Sql) -> None:
    """It ends all sessions, those too that were migrated and never used."""
    user = browser.sign_up()
    token = original_token(user["id"])
    adopt(sql, user["id"], token)
    body = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    assert browser.post("/auth/change-password", body).status_code == 200
    assert refused(refresh_with(browser, token)) == INVALID
    assert len(live_sessions(sql, user["id"])) == 1


def test_its_access_token_gets_the_answer_that_makes_a_client_refresh(browser: Browser) -> None:
    """401, on which they refresh."""
    user = browser.sign_up()
    token = original_token(user["id"], secret=ACCESS_SECRET, exp=int(time.time()) + 240)
    response = browser.get("/auth/me", cookies={"accessToken": token})
    assert refused(response) == (401, "INVALID_TOKEN", "Invalid token")
