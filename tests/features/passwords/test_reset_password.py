"""POST /auth/reset-password."""

from collections.abc import Callable

import pytest

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email, refused
from tests.kit.routes import NEW_PASSWORD, UNKNOWN_TOKEN
from tests.kit.stored import (
    Sql,
    audit_rows,
    audited,
    endings,
    everything_of,
    plant_reset_token,
    user_row,
)

URL = "/auth/reset-password"
REFUSED = (400, "TOKEN_EXPIRED", "Invalid or expired token")


def planted(sql: Sql, user_id: int) -> str:
    """A live reset token of that user."""
    token = f"{user_id:064x}"
    plant_reset_token(sql, user_id, token)
    return token


def test_token_from_the_mail_sets_the_password(browser: Browser, open_browser: Callable[[], Browser], sql: Sql) -> None:
    """The whole reset: every session ends, it opens none, and one row records it."""
    device = open_browser()
    user = device.sign_up()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    token = browser.server.reset_token_mailed_to(user["email"])
    old_hash = user_row(sql, user["id"])["password"]
    response = browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD})
    assert succeeded(response) == (200, "Password reset successful", None)
    assert cookies_set(browser) == {}
    row = user_row(sql, user["id"])
    assert (row["reset_token"], row["reset_token_expires"]) == (None, None)
    assert row["password"] != old_hash
    assert endings(sql, user["id"]) == ["password-reset"]
    assert audited(sql, response) == [("RESET_PASSWORD", user["id"], user["id"])]
    assert audit_rows(sql, response)[0]["metadata"]["changed"] == ["password"]
    assert refused(device.get("/auth/me")) == (401, "INVALID_TOKEN", "Invalid token")
    assert refused(device.post("/auth/refresh-token")) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert browser.login(user["email"], PASSWORD).status_code == 401
    assert browser.login(user["email"], NEW_PASSWORD).status_code == 200


def test_used_token_is_refused(browser: Browser, sql: Sql) -> None:
    """A link works once."""
    user = browser.register()
    token = planted(sql, user["id"])
    assert browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD}).status_code == 200
    before = everything_of(sql, user["id"])
    assert refused(browser.post(URL, {"token": token, "newPassword": "Thief12345"})) == REFUSED
    assert everything_of(sql, user["id"]) == before


def test_unknown_used_and_expired_tokens_get_one_answer(browser: Browser, sql: Sql) -> None:
    """The answer reveals neither the reason nor that an account is deleted."""
    expired, deleted = browser.register(), browser.register()
    plant_reset_token(sql, expired["id"], "e" * 64, minutes=-1 / 60)
    plant_reset_token(sql, deleted["id"], "d" * 64)
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [deleted["id"]])
    before = everything_of(sql, expired["id"], deleted["id"])
    tokens = (UNKNOWN_TOKEN, "e" * 64, "d" * 64, "x", " ", "z" * 9000, "é", "%00")
    answers = [browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD}) for token in tokens]
    assert [refused(answer) for answer in answers] == [REFUSED] * len(tokens)
    assert len({answer.content for answer in answers}) == 1
    assert everything_of(sql, expired["id"], deleted["id"]) == before


def test_token_lives_for_its_last_minute(browser: Browser, sql: Sql) -> None:
    """The other side of the same boundary."""
    user = browser.register()
    plant_reset_token(sql, user["id"], "a" * 64, minutes=1)
    assert browser.post(URL, {"token": "a" * 64, "newPassword": NEW_PASSWORD}).status_code == 200


@pytest.mark.parametrize("password", ["", "1234567", "x" * 73], ids=["empty", "7", "73 bytes"])
def test_bad_password_leaves_the_token_usable(browser: Browser, sql: Sql, password: str) -> None:
    """A typo must not cost the link."""
    user = browser.register()
    token = planted(sql, user["id"])
    assert bad_fields(browser.post(URL, {"token": token, "newPassword": password})) == {"newPassword"}
    assert browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD}).status_code == 200


def test_new_address_ends_the_link(browser: Browser, sql: Sql) -> None:
    """It went to a mailbox that the owner has left."""
    user = browser.sign_up()
    token = planted(sql, user["id"])
    assert browser.patch(f"/users/{user['id']}", {"email": new_email()}).status_code == 200
    assert refused(browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD})) == REFUSED


def test_new_name_leaves_the_link_alone(browser: Browser, sql: Sql) -> None:
    """Only a change of address does that."""
    user = browser.sign_up()
    token = planted(sql, user["id"])
    assert browser.patch(f"/users/{user['id']}", {"name": "Other Name"}).status_code == 200
    assert browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD}).status_code == 200


def test_deletion_ends_the_link_for_good(browser: Browser, sql: Sql) -> None:
    """Restoring the account brings back the account, not the link."""
    user = browser.sign_up()
    token = planted(sql, user["id"])
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    assert browser.patch(f"/users/{user['id']}/restore").status_code == 200
    assert refused(browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD})) == REFUSED


def test_token_is_never_logged_or_stored(browser: Browser, sql: Sql) -> None:
    """Besides the mail itself, which development prints, no trace of it."""
    user = browser.register()
    token = planted(sql, user["id"])
    assert browser.post(URL, {"token": token, "newPassword": NEW_PASSWORD}).status_code == 200
    assert token not in browser.server.printed()
    assert NEW_PASSWORD not in browser.server.printed()
    assert token not in repr(everything_of(sql, user["id"]))
