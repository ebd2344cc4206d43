"""POST /auth/register."""

from collections.abc import Callable

import bcrypt
import psycopg
import pytest

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email, refused
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, audited, everything_of, live_sessions, user_row, users_with


def test_makes_an_account(browser: Browser, sql: Sql) -> None:
    """The address in lower case, one bcrypt hash, one audit row, and no session."""
    email = new_email("Siam.Upper")
    browser.fetch_csrf()
    response = browser.post("/auth/register", {"name": "  Siam ", "email": email, "password": PASSWORD})
    status, message, data = succeeded(response)
    user_id = data["user"]["id"]
    assert (status, message) == (201, "User registered")
    assert data == {"user": {"id": user_id, "name": "Siam", "email": email.lower()}}
    assert cookies_set(browser) == {}
    assert users_with(sql, email) == [user_id]
    row = user_row(sql, user_id)
    assert row["password"].startswith("$2b$04$")
    assert bcrypt.checkpw(PASSWORD.encode(), row["password"].encode())
    assert (row["is_deleted"], row["password_migrated"], row["reset_token"]) == (False, False, None)
    assert live_sessions(sql, user_id) == []
    assert audited(sql, response) == [("CREATE_USER", user_id, user_id)]


def test_audit_row_says_where_from_and_nothing_personal(browser: Browser, sql: Sql) -> None:
    """No password, token, name or address value in the metadata."""
    agent = "Mozilla/5.0 (test)"
    response = browser.post(
        "/auth/register",
        {"name": "Siam", "email": new_email(), "password": PASSWORD},
        headers={"User-Agent": agent},
    )
    (row,) = audit_rows(sql, response)
    assert row["metadata"] == {
        "ip": "127.0.0.1",
        "userAgent": agent,
        "requestId": response.headers["x-request-id"],
    }


def test_number_of_rounds_is_the_setting(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """`$2b$10$` with the default of ten rounds, so that the hash is worth its name in production."""
    server = start(BCRYPT_ROUNDS="10")
    user = open_browser(server).register()
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute("SELECT password FROM users WHERE id = %s", [user["id"]]).fetchone()
    assert row is not None
    assert row[0].startswith("$2b$10$")


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title], ids=["same", "upper", "title"])
def test_address_in_use_is_refused(browser: Browser, sql: Sql, change: Callable[[str], str]) -> None:
    """409, in whatever case it is written; nothing is made and nothing recorded."""
    user = browser.register()
    before = everything_of(sql, user["id"])
    response = browser.post(
        "/auth/register", {"name": "Somebody Else", "email": change(user["email"]), "password": "Other123!"}
    )
    assert refused(response) == (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
    assert users_with(sql, user["email"]) == [user["id"]]
    assert everything_of(sql, user["id"]) == before
    assert audited(sql, response) == []


def test_address_of_a_deleted_account_is_free_again(browser: Browser, sql: Sql) -> None:
    """Unique among users that are not deleted; the old row stays as it is."""
    old = browser.sign_up()
    assert browser.delete(f"/users/{old['id']}").status_code == 200
    before = everything_of(sql, old["id"])
    new = browser.register(old["email"], password="Another123!")  # noqa: S106 not a secret
    assert new["id"] > old["id"]
    assert everything_of(sql, old["id"]) == before
    assert browser.login(old["email"]).status_code == 401
    assert browser.login(old["email"], "Another123!").json()["data"]["user"]["id"] == new["id"]


def test_every_bad_field_has_an_entry(browser: Browser) -> None:
    """A form shows all that is wrong at once."""
    response = browser.post("/auth/register", {"name": " ", "email": "nobody", "password": "short"})
    assert bad_fields(response) == {"name", "email", "password"}
    assert len(response.json()["errors"]) == 3
    assert bad_fields(browser.post("/auth/register", {})) == {"name", "email", "password"}


def test_unknown_keys_are_ignored_and_never_stored(browser: Browser, sql: Sql) -> None:
    """No mass assignment; a client of node-api-postgres that sends more is served."""
    email = new_email()
    response = browser.post(
        "/auth/register",
        {
            "name": "Siam",
            "email": email,
            "password": PASSWORD,
            "id": 1,
            "is_deleted": True,
            "password_migrated": True,
            "reset_token": "x",
            "role": "admin",
            "__proto__": {"is_deleted": True},
            "constructor": {"prototype": {}},
        },
    )
    status, _, data = succeeded(response)
    assert status == 201
    assert data["user"].keys() == {"id", "name", "email"}
    row = user_row(sql, data["user"]["id"])
    assert row["id"] != 1 or users_with(sql, email) == [1]
    assert (row["is_deleted"], row["password_migrated"], row["reset_token"]) == (False, False, None)
    assert browser.login(email).status_code == 200
