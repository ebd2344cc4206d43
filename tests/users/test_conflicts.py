"""A unique rule of the database that is broken: only that of addresses means that an address is taken."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.command_line import latchkey
from tests.kit.server import Server
from tests.kit.stored import Sql, everything_of, users_with

TAKEN = (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
RESTORE_TAKEN = (409, "EMAIL_ALREADY_EXISTS", "Cannot restore user: email already in use")
INTERNAL = {"success": False, "message": "Internal server error", "code": "INTERNAL_ERROR"}
TOKEN = "a1" * 32


@pytest.fixture
def browser(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> Browser:
    """A browser on a server whose database the test may spoil."""
    return open_browser(start())


def ask(browser: Browser, method: str, path: str, body: object = None) -> httpx.Response:
    """A request of the browser's that may be answered with 500, to which the browser itself would object."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Cookie": cookies, "X-CSRF-Token": browser.csrf or browser.fetch_csrf()}
    return httpx.request(method, f"{browser.server.url}{path}", json=body, headers=headers, timeout=30)


def assert_ours(browser: Browser, response: httpx.Response, rule: str) -> None:
    """A fault of ours: the answer tells nothing, the log names the rule under the request's id, and quotes no row."""
    assert (response.status_code, response.json()) == (500, INTERNAL)
    log = browser.server.printed()
    assert response.headers["x-request-id"] in log
    assert f"the unique rule {rule} of the table users was violated" in log
    assert "Key (" not in log
    assert "@example.com" not in log


def want_address(sql: Sql, user_id: int, email: str) -> None:
    """Gives a user a token that changes the address."""
    sql.execute(
        "INSERT INTO email_tokens (user_id, purpose, email, token_hash, expires_at)"
        " VALUES (%s, 'change', %s, %s, now() + interval '1 hour')",
        [user_id, email, hashlib.sha256(TOKEN.encode()).digest()],
    )


def test_a_sequence_that_lags_behind(browser: Browser, own_sql: Sql, database: str, tmp_path: Path) -> None:
    """After a restore without sequences: the free address is not said to be taken, neither here nor on the command line."""
    browser.register()
    own_sql.execute("SELECT setval('users_id_seq', 1, false)")
    email = new_email()
    body = {"name": "Siam", "email": email, "password": PASSWORD}
    assert_ours(browser, ask(browser, "POST", "/auth/register", body), "users_pkey")
    assert users_with(own_sql, email) == []
    own_sql.execute("SELECT setval('users_id_seq', 1, false)")
    create = ("users", "create", "--name", "Siam", "--email", email)
    refusal = latchkey(*create, directory=tmp_path, dsn=database, answer=PASSWORD).refusal()
    assert "the unique rule users_pkey of the table users was violated" in refusal
    # The failed attempts have drawn the number that was taken.
    assert ask(browser, "POST", "/auth/register", body).status_code == 201
    assert refused(ask(browser, "POST", "/auth/register", body)) == TAKEN


def test_a_rule_that_an_operator_added(browser: Browser, own_sql: Sql) -> None:
    """On names, say: every change that breaks it fails as ours, and changes nothing."""
    other = browser.register(name="Taken")
    user = browser.sign_up()
    path = f"/users/{user['id']}"
    own_sql.execute("CREATE UNIQUE INDEX users_email_unique_active_name ON users (name) WHERE NOT is_deleted")
    before = everything_of(own_sql, user["id"], other["id"])
    rule = "users_email_unique_active_name"
    body = {"name": "Taken", "email": new_email()}
    assert_ours(browser, ask(browser, "POST", "/auth/register", body | {"password": PASSWORD}), rule)
    assert_ours(browser, ask(browser, "PUT", path, body), rule)
    assert_ours(browser, ask(browser, "PATCH", path, {"name": "Taken"}), rule)
    assert everything_of(own_sql, user["id"], other["id"]) == before
    assert refused(ask(browser, "PATCH", path, {"email": other["email"]})) == TAKEN

    assert browser.delete(path).status_code == 200
    own_sql.execute("UPDATE users SET name = 'Taken' WHERE id = %s", [user["id"]])
    assert_ours(browser, ask(browser, "PATCH", f"{path}/restore"), rule)
    own_sql.execute("UPDATE users SET email = %s WHERE id = %s", [user["email"], other["id"]])
    own_sql.execute("DROP INDEX users_email_unique_active_name")
    assert refused(ask(browser, "PATCH", f"{path}/restore")) == RESTORE_TAKEN


def test_a_rule_broken_by_a_confirmed_address(browser: Browser, own_sql: Sql) -> None:
    """The link that changes an address tells apart what is wrong, too, and works once that is mended."""
    other, user = browser.register(), browser.register()
    own_sql.execute("CREATE UNIQUE INDEX one_a_company ON users (split_part(email, '@', 2)) WHERE email LIKE '%.test'")
    own_sql.execute("UPDATE users SET email = 'first@company.test' WHERE id = %s", [other["id"]])
    want_address(own_sql, user["id"], "second@company.test")
    assert_ours(browser, ask(browser, "POST", "/auth/verify-email", {"token": TOKEN}), "one_a_company")
    own_sql.execute("DROP INDEX one_a_company")
    own_sql.execute("UPDATE users SET email = 'second@company.test' WHERE id = %s", [other["id"]])
    assert refused(ask(browser, "POST", "/auth/verify-email", {"token": TOKEN})) == TAKEN
    own_sql.execute("UPDATE users SET email = 'third@company.test' WHERE id = %s", [other["id"]])
    assert ask(browser, "POST", "/auth/verify-email", {"token": TOKEN}).status_code == 200


def test_the_rule_of_addresses_while_it_is_built_anew(browser: Browser, own_sql: Sql) -> None:
    """REINDEX CONCURRENTLY has a second one under another name for a while, and leaves it behind when it fails."""
    email = browser.register()["email"]
    own_sql.execute("ALTER INDEX users_email_unique_active RENAME TO users_email_unique_active_ccold1")
    body = {"name": "Siam", "email": email, "password": PASSWORD}
    assert refused(ask(browser, "POST", "/auth/register", body)) == TAKEN
