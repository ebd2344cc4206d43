"""Nobody can flood a mailbox: each kind of mail has a limit for a recipient and for an account.

A notice goes only to an address that is known to be the account's.
"""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.outbox_rows import rows, wait_until_settled
from tests.kit.racing import crowd
from tests.kit.server import Server
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Start = Callable[..., Server]
OpenBrowser = Callable[..., Browser]
AGED = "UPDATE mail_outbox SET created_at = created_at - interval '61 minutes'"
FREE = 5


def kinds(sql: Sql, recipient: str) -> Counter[str]:
    """How many mails of each kind were stored for a recipient."""
    return Counter(row["kind"] for row in rows(sql) if row["recipient"] == recipient)


def change_password(browser: Browser, old: str, new: str) -> None:
    body = {"currentPassword": old, "newPassword": new}
    assert browser.post("/auth/change-password", body).status_code == 200


def verify(sql: Sql, user_id: int) -> None:
    sql.execute("UPDATE users SET email_verified_at = now() WHERE id = %s", [user_id])


@pytest.mark.parametrize("moved_in", [False, True])
def test_a_notice_needs_an_address_that_is_known_to_be_theirs(
    start: Start, open_browser: OpenBrowser, own_sql: Sql, moved_in: bool
) -> None:
    """An address given at registration or in a change gets no notice until it is verified or has been the account's for
    a day.

    Migrated accounts have theirs since the migration.
    """
    browser = open_browser(start())
    user = browser.sign_up()
    path, other = f"/users/{user['id']}", new_email("other")
    if moved_in:
        ages = "UPDATE users SET created_at = now() - interval '1 year', email_since = now() - interval '23 hours'"
        own_sql.execute(ages)
    change_password(browser, PASSWORD, "Changed456!")
    assert browser.patch(path, {"email": other}).status_code == 200
    assert browser.patch(path, {"email": user["email"]}).status_code == 200
    assert rows(own_sql) == []
    own_sql.execute("UPDATE users SET email_since = now() - interval '25 hours'")
    change_password(browser, "Changed456!", PASSWORD)
    assert browser.patch(path, {"email": other}).status_code == 200
    assert browser.patch(path, {"email": user["email"]}).status_code == 200, "the other one was theirs for a moment"
    assert kinds(own_sql, user["email"]) == {"password-changed": 1, "email-changed": 1}
    assert kinds(own_sql, other) == {}
    verify(own_sql, user["id"])
    change_password(browser, PASSWORD, "Changed456!")
    assert kinds(own_sql, user["email"]) == {"password-changed": 2, "email-changed": 1}


def test_five_notices_an_hour_and_then_one_that_says_so(start: Start, open_browser: OpenBrowser, own_sql: Sql) -> None:
    server = start()
    browser = open_browser(server)
    user = browser.sign_up()
    verify(own_sql, user["id"])
    passwords = [PASSWORD, *(f"Changed-{number}!" for number in range(9))]
    for old, new in pairwise(passwords):
        change_password(browser, old, new)
    assert kinds(own_sql, user["email"]) == {"password-changed": FREE, "more-notices": 1}
    assert open_browser(server).login(user["email"], passwords[-1]).status_code == 200, "each change was made"
    eventually(lambda: "More happened to your account" in server.printed(), "the summary is sent")
    wait_until_settled(own_sql)
    own_sql.execute(AGED)
    change_password(browser, passwords[-1], PASSWORD)
    assert kinds(own_sql, user["email"]) == {"password-changed": FREE + 1, "more-notices": 1}


def test_notices_of_changes_at_once(start: Start, open_browser: OpenBrowser, own_sql: Sql) -> None:
    """Logins from twenty new devices at the same moment are five notices and one summary."""
    browser = open_browser(start(NEW_DEVICE_MAIL="true"))
    user = browser.register()
    own_sql.execute("UPDATE users SET created_at = now() - interval '2 days'")
    answers = crowd(browser, "/auth/login", [{"email": user["email"], "password": PASSWORD}] * 20)
    assert {answer.status_code for answer in answers} == {200}
    assert kinds(own_sql, user["email"]) == {"new-device": FREE, "more-notices": 1}


@pytest.mark.parametrize("kind", ["reset-link", "verify-email", "confirm-email"])
def test_one_mailbox_and_many_accounts(start: Start, open_browser: OpenBrowser, own_sql: Sql, kind: str) -> None:
    """Links count for the recipient, too: several accounts that have or request one address send it no more than one
    account."""
    browser = open_browser(start(CONFIRM_EMAIL_CHANGE="true" if kind == "confirm-email" else "false"))
    victim = new_email("victim")
    asks = {"reset-link": "/auth/forgot-password", "verify-email": "/auth/verify-email/request"}
    for _ in range(2 * FREE):
        if kind == "confirm-email":
            user = browser.sign_up()
            assert browser.patch(f"/users/{user['id']}", {"email": victim}).status_code == 200
            wait_until_settled(own_sql)
            continue
        user = browser.sign_up(victim)
        assert browser.post(asks[kind], {"email": victim}).status_code == 200
        wait_until_settled(own_sql)
        assert browser.patch(f"/users/{user['id']}", {"email": new_email()}).status_code == 200
    assert kinds(own_sql, victim) == {kind: FREE}
