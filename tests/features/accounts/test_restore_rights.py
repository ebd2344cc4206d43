"""A deleted account can be restored by the session that deleted it, that account only, once."""

from collections.abc import Callable

import httpx

from tests.kit.browser import Browser, refused
from tests.kit.racing import together, twins
from tests.kit.stored import Sql, audited, live_sessions, user_row

INVALID = (401, "INVALID_TOKEN", "Invalid token")


def restore(browser: Browser, user_id: int) -> httpx.Response:
    """Asks for the account back."""
    return browser.patch(f"/users/{user_id}/restore")


def test_an_earlier_deletion_gives_no_right_to_a_later_one(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """A session that deleted it once before may not undo that."""
    user = browser.sign_up()
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    assert restore(browser, user["id"]).status_code == 200
    later = open_browser()
    assert later.login(user["email"]).status_code == 200
    assert later.delete(f"/users/{user['id']}").status_code == 200
    assert refused(restore(browser, user["id"])) == INVALID
    assert user_row(sql, user["id"])["is_deleted"]
    assert restore(later, user["id"]).status_code == 200
    assert refused(restore(later, user["id"])) == INVALID


def test_the_right_is_to_that_account_alone(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """A session that deleted its own may restore no other."""
    other = open_browser()
    user, stranger = browser.sign_up(), other.sign_up()
    for each, account in ((browser, user), (other, stranger)):
        assert each.delete(f"/users/{account['id']}").status_code == 200
    forbidden = (403, "FORBIDDEN", "You are not allowed to perform this action")
    assert refused(restore(browser, stranger["id"])) == forbidden
    assert user_row(sql, stranger["id"])["is_deleted"]
    assert restore(other, stranger["id"]).status_code == 200


def test_restore_against_restore(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Of several at once one restores and is recorded, and no session comes back."""
    user = browser.sign_up()
    crowd = twins(browser, 4, open_browser)
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    answers = together([lambda each=each: restore(each, user["id"]) for each in crowd])
    assert min(answer.status_code for answer in answers) == 200
    assert {answer.status_code for answer in answers} <= {200, 401, 404}
    rows = [row for answer in answers for row in audited(sql, answer)]
    assert rows == [("RESTORE_USER", user["id"], user["id"])]
    assert not user_row(sql, user["id"])["is_deleted"]
    assert live_sessions(sql, user["id"]) == []


def test_refresh_and_logout_of_the_deleting_session_do_not_help(browser: Browser, sql: Sql) -> None:
    """The right ends with the access token, since nothing makes that session a new one."""
    user = browser.sign_up()
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    answer = browser.post("/auth/refresh-token")
    assert refused(answer) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert audited(sql, answer) == []
    assert restore(browser, user["id"]).status_code == 200
    assert refused(browser.post("/auth/refresh-token")) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert refused(browser.get("/auth/me")) == INVALID
