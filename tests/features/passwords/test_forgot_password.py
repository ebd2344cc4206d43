"""POST /auth/forgot-password."""

import hashlib

from tests.kit.answers import cookies_set, succeeded
from tests.kit.browser import Browser, new_email
from tests.kit.stored import Sql, audit_rows, audited, user_row

URL = "/auth/forgot-password"
ANSWER = (200, "If email exists, reset link sent", None)


def test_known_address_gets_a_link(browser: Browser, sql: Sql) -> None:
    """In whatever case it is typed, white space around it or not; only the hash is stored, for 15 minutes,
    and one row says so."""
    user = browser.register()
    response = browser.post(URL, {"email": f" \t{user['email'].upper()}\r\n"})
    assert succeeded(response) == ANSWER
    assert cookies_set(browser) == {}
    token = browser.server.reset_token_mailed_to(user["email"])
    assert len(bytes.fromhex(token)) == 32
    row = user_row(sql, user["id"])
    assert row["reset_token"] == hashlib.sha256(token.encode()).hexdigest()
    (asked,) = audit_rows(sql, response)
    assert audited(sql, response) == [("FORGOT_PASSWORD", None, user["id"])]
    assert (row["reset_token_expires"] - asked["created_at"]).total_seconds() == 15 * 60
    assert asked["metadata"].keys() == {"ip", "userAgent", "requestId"}
    link = f"http://localhost:{browser.server.port}/reset-password#token={token}"
    assert link in browser.server.printed()
    assert browser.server.printed().count(f"To: {user['email']}\n") == 1


def test_unknown_and_deleted_addresses_get_the_same_answer_and_nothing_else(browser: Browser, sql: Sql) -> None:
    """Reveals no account: no mail, no token, no audit row."""
    known, deleted, unknown = browser.register(), browser.register(), new_email("nobody")
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [deleted["id"]])
    nobody = browser.post(URL, {"email": unknown})
    gone = browser.post(URL, {"email": deleted["email"]})
    somebody = browser.post(URL, {"email": known["email"]})
    assert nobody.content == gone.content == somebody.content
    assert succeeded(nobody) == ANSWER
    # The outbox is worked off in order: once the last mail is out, the first two have been dealt with.
    browser.server.reset_token_mailed_to(known["email"])
    printed = browser.server.printed()
    assert unknown not in printed
    assert deleted["email"] not in printed
    assert audited(sql, nobody) == audited(sql, gone) == []
    assert user_row(sql, deleted["id"])["reset_token"] is None
    assert sql.execute("SELECT * FROM mail_outbox WHERE recipient = %s", [unknown]).fetchall() == []


def test_newer_link_ends_the_older(browser: Browser) -> None:
    """The newest mail is the one that counts."""
    user = browser.register()
    browser.post(URL, {"email": user["email"]})
    older = browser.server.reset_token_mailed_to(user["email"])
    browser.post(URL, {"email": user["email"]})
    newer = older
    while newer == older:
        newer = browser.server.reset_token_mailed_to(user["email"])
    first = browser.post("/auth/reset-password", {"token": older, "newPassword": "Changed456!"})
    second = browser.post("/auth/reset-password", {"token": newer, "newPassword": "Changed456!"})
    assert (first.status_code, second.status_code) == (400, 200)


def test_link_never_comes_from_the_request(browser: Browser) -> None:
    """A forged Host must not send the victim's token to the attacker's site."""
    user = browser.register()
    headers = {"Host": f"localhost:{browser.server.port}", "X-Forwarded-Host": "not-our-own.test"}
    assert browser.post(URL, {"email": user["email"]}, headers=headers).status_code == 200
    browser.server.reset_token_mailed_to(user["email"])
    assert "not-our-own.test" not in browser.server.printed()
