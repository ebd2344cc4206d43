"""Sign-in at the moment in which the account changes: the change wins, and leaves no session behind."""

from collections.abc import Callable
from secrets import token_hex
from typing import LiteralString

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.racing import crowd, held_until_blocked, together, twins, wait_for_blocked
from tests.kit.stored import Sql, audited, endings, live_sessions, plant_reset_token, user_row

NEW_PASSWORD = "Changed456!"
INVALID = (401, "INVALID_TOKEN", "Invalid token")
REFUSED = (401, "UNAUTHORIZED", "Invalid credentials")
LOCK = "SELECT FROM users WHERE id = %s FOR UPDATE"
REPLACE = "UPDATE users SET password = reverse(password) WHERE id = %s"
DELETE = "UPDATE users SET is_deleted = true WHERE id = %s"
CROWD = 50
ROUNDS = 10


def spend(browser: Browser, token: str, password: str = NEW_PASSWORD) -> httpx.Response:
    """Resets the password with that token."""
    return browser.post("/auth/reset-password", {"token": token, "newPassword": password})


@pytest.mark.parametrize("change", [REPLACE, DELETE], ids=["reset", "deleted"])
def test_a_login_verified_before_the_change_and_finished_after_it(
    browser: Browser, sql: Sql, change: LiteralString
) -> None:
    """A login that was verified against the old row opens no session."""
    user = browser.register()
    with held_until_blocked(browser.server.dsn, 1, change, user["id"]):
        answer = browser.login(user["email"])
    assert refused(answer) == REFUSED
    assert browser.set_cookies == []
    assert audited(sql, answer) == [("LOGIN_FAILED", None, user["id"])]
    assert endings(sql, user["id"]) == []


def test_a_reset_that_waits_for_a_login_ends_what_it_opened(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """The login comes first. The reset, which waited for it, ends its session, too."""
    user = browser.register()
    (other,) = twins(browser, 1, open_browser)
    token = token_hex(32)
    plant_reset_token(sql, user["id"], token)

    def reset_behind_the_login() -> httpx.Response:
        wait_for_blocked(browser.server.dsn, 1)
        return spend(other, token)

    with held_until_blocked(browser.server.dsn, 2, LOCK, user["id"]):
        answers = together([lambda: browser.login(user["email"]), reset_behind_the_login])
    assert [answer.status_code for answer in answers] == [200, 200]
    assert endings(sql, user["id"]) == ["password-reset"]
    assert refused(browser.get("/auth/me")) == INVALID


@pytest.mark.parametrize("change", ["reset", "change", "delete"])
def test_login_against_change_leaves_no_session_of_the_old_state(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, change: str
) -> None:
    logins = twins(browser, 3, open_browser)
    for _ in range(ROUNDS):
        user = browser.sign_up()
        token = token_hex(32)
        plant_reset_token(sql, user["id"], token)
        changes: dict[str, Callable[[], httpx.Response]] = {
            "reset": lambda token=token: spend(browser, token),
            "change": lambda: browser.post(
                "/auth/change-password", {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
            ),
            "delete": lambda user=user: browser.delete(f"/users/{user['id']}"),
        }
        attempts = [lambda each=each, user=user: each.login(user["email"]) for each in logins]
        changed, *answers = together([changes[change], *attempts])
        assert changed.status_code == 200, changed.text
        assert {answer.status_code for answer in answers} <= {200, 401}
        assert len(live_sessions(sql, user["id"])) == (1 if change == "change" else 0)
        for each, answer in zip(logins, answers, strict=True):
            if answer.status_code == 200:
                assert refused(each.get("/auth/me")) == INVALID
            each.cookies = {"_csrf": each.cookies["_csrf"]}


def test_a_crowd_with_one_reset_token(browser: Browser, sql: Sql) -> None:
    """Of 50 parallel uses with 50 passwords one succeeds, and its password signs in."""
    user = browser.register()
    token = token_hex(32)
    plant_reset_token(sql, user["id"], token)
    passwords = [f"Winner-{number}!" for number in range(CROWD)]
    answers = crowd(browser, "/auth/reset-password", [{"token": token, "newPassword": word} for word in passwords])
    won = [word for word, answer in zip(passwords, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    lost = [answer for answer in answers if answer.status_code != 200]
    assert {refused(answer) for answer in lost} == {(400, "TOKEN_EXPIRED", "Invalid or expired token")}
    assert [row for answer in answers for row in audited(sql, answer)] == [("RESET_PASSWORD", user["id"], user["id"])]
    assert browser.login(user["email"], won[0]).status_code == 200
    assert browser.login(user["email"], PASSWORD).status_code == 401


def test_two_changes_of_password_at_once(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """One did, and only its session lives."""
    user = browser.sign_up()
    other = open_browser()
    other.login(user["email"])
    pair, words = (browser, other), ("First-word1", "Second-word1")
    answers = together(
        [
            lambda each=each, word=word: each.post(
                "/auth/change-password", {"currentPassword": PASSWORD, "newPassword": word}
            )
            for each, word in zip(pair, words, strict=True)
        ]
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 400], [200, 401])
    winner = 0 if answers[0].status_code == 200 else 1
    assert len(live_sessions(sql, user["id"])) == 1
    assert pair[winner].get("/auth/me").status_code == 200
    assert pair[1 - winner].get("/auth/me").status_code == 401
    fresh = open_browser()
    assert fresh.login(user["email"], words[1 - winner]).status_code == 401
    assert fresh.login(user["email"], words[winner]).status_code == 200


@pytest.mark.parametrize("other_call", ["delete", "rename", "refresh"])
def test_delete_against_another_call(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, other_call: str
) -> None:
    """Done and recorded once, and no concurrent request revives the account."""
    (other,) = twins(browser, 1, open_browser)
    for _ in range(ROUNDS):
        user = browser.sign_up()
        other.login(user["email"])
        calls: dict[str, Callable[[], httpx.Response]] = {
            "delete": lambda user=user: other.delete(f"/users/{user['id']}"),
            "rename": lambda user=user: other.patch(f"/users/{user['id']}", {"name": "Renamed"}),
            "refresh": lambda: other.post("/auth/refresh-token"),
        }
        deleted, answer = together([lambda user=user: browser.delete(f"/users/{user['id']}"), calls[other_call]])
        codes = [deleted.status_code, answer.status_code]
        if other_call == "delete":
            assert sorted(codes) in ([200, 401], [200, 404])
        else:
            assert codes[0] == 200
            assert codes[1] in {200, 401, 404}
        row = user_row(sql, user["id"])
        assert row["is_deleted"]
        assert (row["name"] == "Renamed") == (other_call == "rename" and codes[1] == 200)
        rows = [entry for each in (deleted, answer) for entry in audited(sql, each)]
        assert rows.count(("DELETE_USER", user["id"], user["id"])) == 1
        assert rows.count(("UPDATE_USER", user["id"], user["id"])) == int(row["name"] == "Renamed")
        assert live_sessions(sql, user["id"]) == []
        for each in (browser, other):
            each.cookies = {"_csrf": each.cookies["_csrf"]}
