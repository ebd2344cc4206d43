"""The rules of passwords, on every route that takes one: bytes in, bytes compared, nothing changed."""

import unicodedata

import bcrypt
import pytest

from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email, refused
from tests.kit.routes import (
    NEW_PASSWORD_FIELDS,
    TYPED_PASSWORD_FIELDS,
    Route,
    call_with,
    field_ids,
)
from tests.kit.stored import Sql, plant_reset_token, user_row

every_new = pytest.mark.parametrize(("route", "field"), NEW_PASSWORD_FIELDS, ids=field_ids(NEW_PASSWORD_FIELDS))
every_typed = pytest.mark.parametrize(("route", "field"), TYPED_PASSWORD_FIELDS, ids=field_ids(TYPED_PASSWORD_FIELDS))

GOOD: dict[str, str] = {
    "8 characters": "k3yh0les",
    "8 emoji": "😀" * 8,
    "72 bytes": "x" * 72,
    "72 bytes of emoji": "😀" * 18,
    "only spaces": " " * 8,
    "spaces around": "  secret  \n",
    "zero byte first": "\0secret123",
    "zero bytes inside": "zero\0byte\0inside\0",
    "control characters": "\x01\x02\x1b\x7f\u0085secret",
    "combining": "e\u0301" * 8,
    "composed": "\u00e9" * 8,
    "full-width": "ｓｅｃｒｅｔ１２",
}
BAD: dict[str, str] = {
    "7 characters": "1234567",
    "7 emoji": "😀" * 7,
    "73 bytes": "x" * 73,
    "72 characters, 73 bytes": "x" * 71 + "é",
    "24 emoji": "😀" * 24,
    "10 kB": "x" * 9000,
    "lone surrogate": "secret12\ud800",
    "two lone surrogates": "\udfff\ud800secret12",
}


def set_password(browser: Browser, sql: Sql, route: Route, field: str, password: str) -> str:
    """Sets a password by that route for a new user; returns their address."""
    user = browser.sign_up()
    body = {"name": "Siam", "email": new_email(), "currentPassword": PASSWORD, "token": f"{user['id']:064x}"}
    plant_reset_token(sql, user["id"], body["token"])
    response = browser.request(route.method, route.path, body | {field: password})
    assert response.status_code in {200, 201}, response.text
    return body["email"] if route.path == "/auth/register" else str(user["email"])


@every_new
@pytest.mark.parametrize("password", GOOD.values(), ids=GOOD.keys())
def test_good_password_signs_in_and_nothing_near_it_does(
    browser: Browser, sql: Sql, route: Route, field: str, password: str
) -> None:
    """Byte for byte: not trimmed, not normalised, not cut at a zero byte or at its end."""
    email = set_password(browser, sql, route, field, password)
    near = {
        password[:-1],
        password + "x",
        password[:-1] + "#",
        password.strip(),
        password.partition("\0")[0],
        unicodedata.normalize("NFC", password),
        unicodedata.normalize("NFD", password),
        unicodedata.normalize("NFKC", password),
    }
    for other in near - {password, ""}:
        assert browser.login(email, other).status_code == 401, repr(other)
    assert browser.login(email, password).status_code == 200


@every_new
@pytest.mark.parametrize("password", BAD.values(), ids=BAD.keys())
def test_bad_password_is_not_set(browser: Browser, sql: Sql, route: Route, field: str, password: str) -> None:
    """Too short in characters, too long in bytes, or not text; the old password stays."""
    user = browser.sign_up()
    before = user_row(sql, user["id"])
    assert bad_fields(call_with(browser, user["id"], route, field, password)) == {field}
    assert user_row(sql, user["id"]) == before
    assert browser.login(user["email"]).status_code == 200


@every_typed
@pytest.mark.parametrize(
    "password",
    ["x", "1234567", "x" * 73, "😀" * 24, "x" * 1024, "é" * 512, "\0", "\0" * 1024],
    ids=["1", "7", "73 bytes", "96 bytes", "1024", "1024 bytes", "zero byte", "zero bytes"],
)
def test_typed_password_may_be_anything_and_is_wrong(browser: Browser, route: Route, field: str, password: str) -> None:
    """A password that can never have been set is answered like any wrong one."""
    user = browser.sign_up()
    if route.path == "/auth/login":
        answer = refused(browser.login(user["email"], password))
        assert answer == (401, "UNAUTHORIZED", "Invalid credentials")
    else:
        answer = refused(call_with(browser, user["id"], route, field, password))
        assert answer == (400, "VALIDATION_ERROR", "Current password is incorrect")


@every_typed
@pytest.mark.parametrize(
    "password",
    ["x" * 1025, "é" * 512 + "x", "\ud800", "secret12\udc00"],
    ids=["1025", "1025 bytes", "surrogate", "surrogate at the end"],
)
def test_typed_password_that_is_refused(browser: Browser, route: Route, field: str, password: str) -> None:
    """Over 1 024 bytes, or not text."""
    user = browser.sign_up()
    assert bad_fields(call_with(browser, user["id"], route, field, password)) == {field}


def test_first_72_bytes_are_not_enough(browser: Browser) -> None:
    """bcrypt reads 72 bytes only, so a longer password is another one."""
    email = new_email()
    browser.register(email, password="x" * 72)
    assert browser.login(email, "x" * 73).status_code == 401
    assert browser.login(email, "x" * 72).status_code == 200


def test_migrated_hash_is_compared_as_the_original_did(browser: Browser, sql: Sql) -> None:
    """A password of 80 bytes from node-api-postgres signs in until it is changed."""
    user = browser.register()
    long = "p" * 80
    stored = bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()
    sql.execute("UPDATE users SET password = %s, password_migrated = true WHERE id = %s", [stored, user["id"]])
    assert browser.login(user["email"], long).status_code == 200
    assert browser.login(user["email"], "p" * 71).status_code == 401
    change = {"currentPassword": long, "newPassword": "p" * 72}
    assert browser.post("/auth/change-password", change).status_code == 200
    assert user_row(sql, user["id"])["password_migrated"] is False
    assert browser.login(user["email"], long).status_code == 401
    assert browser.login(user["email"], "p" * 72).status_code == 200
