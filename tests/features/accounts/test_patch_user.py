"""PATCH /users/:id: changes name, address or both."""

import pytest

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import Browser, bad_fields, new_email, refused
from tests.kit.stored import Sql, audit_rows, audited, everything_of, plant_reset_token, user_row


@pytest.mark.parametrize("fields", [("name",), ("email",), ("email", "name")], ids="+".join)
def test_changes_what_is_sent(browser: Browser, sql: Sql, fields: tuple[str, ...]) -> None:
    """Each field alone and both; the audit row names exactly those columns."""
    user = browser.sign_up()
    new = {field: {"name": "New Name", "email": new_email()}[field] for field in fields}
    response = browser.patch(f"/users/{user['id']}", new)
    assert succeeded(response) == (200, "User partially updated", user | new)
    assert cookies_set(browser) == {}
    assert audited(sql, response) == [("UPDATE_USER", user["id"], user["id"])]
    assert sorted(audit_rows(sql, response)[0]["metadata"]["changed"]) == sorted(fields)
    row = user_row(sql, user["id"])
    assert {"id": row["id"], "name": row["name"], "email": row["email"]} == user | new


def test_same_values_write_nothing(browser: Browser, sql: Sql) -> None:
    """200 with the user as it is, no audit row, no ended reset link."""
    user = browser.sign_up()
    plant_reset_token(sql, user["id"], f"{user['id']:064x}")
    before = everything_of(sql, user["id"])
    for body in ({"name": user["name"]}, {"email": user["email"].title()}, {"name": "\tSiam\u3000"}):
        response = browser.patch(f"/users/{user['id']}", body)
        assert succeeded(response) == (200, "User partially updated", user)
    assert everything_of(sql, user["id"]) == before


def test_new_address_ends_a_pending_reset_link(browser: Browser, sql: Sql) -> None:
    """It was mailed to the old one."""
    user = browser.sign_up()
    plant_reset_token(sql, user["id"], f"{user['id']:064x}")
    assert browser.patch(f"/users/{user['id']}", {"email": new_email()}).status_code == 200
    row = user_row(sql, user["id"])
    assert (row["reset_token"], row["reset_token_expires"]) == (None, None)


def test_nothing_to_change(browser: Browser, sql: Sql) -> None:
    """node-api-postgres's own words for `{}`; there is no bad field to name."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.patch(f"/users/{user['id']}", {})
    assert refused(response) == (400, "VALIDATION_ERROR", "No data provided for update")
    assert "errors" not in response.json()
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize(
    "key", ["__proto__", "constructor", "is_deleted", "id", "password", "NAME", "name ", "created_at", "reset_token"]
)
def test_unknown_key_is_refused(browser: Browser, sql: Sql, key: str) -> None:
    """Alone, and beside a good field, which is not changed either."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    for body in ({key: True}, {key: {"name": "x"}, "name": "New Name"}):
        assert bad_fields(browser.patch(f"/users/{user['id']}", body)) == {key}
    assert everything_of(sql, user["id"]) == before


def test_good_field_beside_a_bad_one_is_not_changed(browser: Browser, sql: Sql) -> None:
    """All or nothing."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.patch(f"/users/{user['id']}", {"name": "New Name", "email": "nobody"})
    assert bad_fields(response) == {"email"}
    assert everything_of(sql, user["id"]) == before


def test_address_in_use(browser: Browser, sql: Sql) -> None:
    """409 in any case. A user's own address is not taken by another user."""
    other = browser.register()
    user = browser.sign_up()
    before = everything_of(sql, user["id"], other["id"])
    response = browser.patch(f"/users/{user['id']}", {"email": other["email"].upper()})
    assert refused(response) == (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
    assert audited(sql, response) == []
    assert everything_of(sql, user["id"], other["id"]) == before


def test_account_deleted_under_a_live_session(browser: Browser, sql: Sql) -> None:
    """A deletion that wins against the change leaves the account deleted and as it was."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    before = everything_of(sql, user["id"])
    response = browser.patch(f"/users/{user['id']}", {"name": "New Name"})
    assert refused(response) == (404, "USER_NOT_FOUND", "User not found")
    assert everything_of(sql, user["id"]) == before
