"""GET /users/:id."""

import pytest

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import Browser, refused
from tests.kit.stored import Sql, everything_of

NOT_FOUND = (404, "USER_NOT_FOUND", "User not found")


def test_shows_any_user_to_anybody_signed_in(browser: Browser, sql: Sql) -> None:
    """Exactly three fields, also of another user."""
    other = browser.register()
    user = browser.sign_up()
    before = everything_of(sql, user["id"], other["id"])
    assert succeeded(browser.get(f"/users/{other['id']}")) == (200, "Success", other)
    assert succeeded(browser.get(f"/users/{user['id']}")) == (200, "Success", user)
    assert cookies_set(browser) == {}
    assert everything_of(sql, user["id"], other["id"]) == before


def test_deleted_user_is_not_found(browser: Browser, sql: Sql) -> None:
    """Deleted is the same as never there."""
    deleted = browser.register()
    browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [deleted["id"]])
    gone, never = browser.get(f"/users/{deleted['id']}"), browser.get("/users/2147483647")
    assert refused(gone) == refused(never) == NOT_FOUND
    assert gone.content == never.content


@pytest.mark.parametrize("leading_zeros", ["00", "0" * 5000], ids=["2", "5000"])
def test_leading_zeros_are_digits(browser: Browser, leading_zeros: str) -> None:
    """`[0-9]+`, so they name the same user."""
    user = browser.sign_up()
    assert browser.get(f"/users/{leading_zeros}{user['id']}").json()["data"] == user
