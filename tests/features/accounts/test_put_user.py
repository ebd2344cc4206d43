"""PUT /users/:id: replaces name and address."""

from tests.kit.answers import claims_of, cookies_set, succeeded
from tests.kit.browser import Browser, bad_fields, new_email, refused
from tests.kit.stored import (
    Sql,
    audit_rows,
    audited,
    everything_of,
    plant_reset_token,
    user_row,
)


def test_replaces_both(browser: Browser, sql: Sql) -> None:
    """Trimmed and in lower case; the row names the columns and no values; the session lives on."""
    user = browser.sign_up()
    email = new_email("Replaced")
    response = browser.put(f"/users/{user['id']}", {"name": " New Name\n", "email": email})
    changed = {"id": user["id"], "name": "New Name", "email": email.lower()}
    assert succeeded(response) == (200, "User fully updated", changed)
    assert cookies_set(browser) == {}
    assert audited(sql, response) == [("UPDATE_USER", user["id"], user["id"])]
    metadata = audit_rows(sql, response)[0]["metadata"]
    assert metadata.keys() == {"ip", "userAgent", "requestId", "sessionId", "changed"}
    assert sorted(metadata["changed"]) == ["email", "name"]
    assert metadata["sessionId"] == claims_of(browser.cookies["accessToken"])["sid"]
    assert browser.get("/auth/me").json()["data"] == changed
    assert browser.login(email).status_code == 200


def test_one_change_names_one_column(browser: Browser, sql: Sql) -> None:
    """The audit log says what changed, not what was sent."""
    user = browser.sign_up()
    response = browser.put(f"/users/{user['id']}", {"name": "Other Name", "email": user["email"]})
    assert audit_rows(sql, response)[0]["metadata"]["changed"] == ["name"]


def test_same_values_write_nothing(browser: Browser, sql: Sql) -> None:
    """200, and neither row nor audit row is touched, nor a pending reset link."""
    user = browser.sign_up()
    plant_reset_token(sql, user["id"], f"{user['id']:064x}")
    version = "SELECT xmin::text, ctid::text FROM users WHERE id = %s"
    before = everything_of(sql, user["id"]), sql.execute(version, [user["id"]]).fetchone()
    response = browser.put(f"/users/{user['id']}", {"name": "  Siam  ", "email": user["email"].upper()})
    assert succeeded(response) == (200, "User fully updated", user)
    after = everything_of(sql, user["id"]), sql.execute(version, [user["id"]]).fetchone()
    assert after[0] == before[0]
    # A row lock alone sets xmax; a new version of the row would have another xmin and place.
    assert after[1] == before[1]


def test_every_field_and_no_other(browser: Browser, sql: Sql) -> None:
    """Both are required, and unknown keys are refused by name."""
    user = browser.sign_up()
    url, whole = f"/users/{user['id']}", {"name": "Siam", "email": new_email()}
    before = everything_of(sql, user["id"])
    assert bad_fields(browser.put(url, {})) == {"name", "email"}
    assert bad_fields(browser.put(url, {"name": "Siam"})) == {"email"}
    assert bad_fields(browser.put(url, {"email": new_email()})) == {"name"}
    for key in ("id", "password", "is_deleted", "__proto__", "constructor", "Name", "", "ключ", "k\0"):
        assert bad_fields(browser.put(url, whole | {key: 1})) == {key}
    assert refused(browser.put(url, whole | {"\ud800": 1}))[:2] == (400, "VALIDATION_ERROR")
    assert bad_fields(browser.put(url, {"name": " ", "role": "admin"})) == {"name", "email", "role"}
    assert everything_of(sql, user["id"]) == before


def test_address_in_use(browser: Browser, sql: Sql) -> None:
    """409, in whatever case; nothing of the change is kept, the new name neither."""
    other = browser.register()
    user = browser.sign_up()
    before = everything_of(sql, user["id"], other["id"])
    response = browser.put(f"/users/{user['id']}", {"name": "New Name", "email": other["email"].title()})
    assert refused(response) == (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
    assert audited(sql, response) == []
    assert everything_of(sql, user["id"], other["id"]) == before


def test_address_of_a_deleted_account_may_be_taken(browser: Browser, sql: Sql) -> None:
    """Unique among users that are not deleted."""
    gone = browser.register()
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [gone["id"]])
    response = browser.put(f"/users/{user['id']}", {"name": "Siam", "email": gone["email"]})
    assert response.status_code == 200
    assert user_row(sql, user["id"])["email"] == gone["email"]


def test_account_deleted_under_a_live_session(browser: Browser, sql: Sql) -> None:
    """A deletion that wins against the change: 404, and the account stays deleted and as it was."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    before = everything_of(sql, user["id"])
    response = browser.put(f"/users/{user['id']}", {"name": "New Name", "email": new_email()})
    assert refused(response) == (404, "USER_NOT_FOUND", "User not found")
    assert everything_of(sql, user["id"]) == before
