"""A mail that was composed before a change of JWT_REFRESH_SECRET and sent after it has the link that was stored."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.browser import Browser, new_email
from tests.kit.command_line import latchkey
from tests.kit.outbox_rows import rows, try_now, wait_until_settled
from tests.kit.rotating import ADDED, AFTER, BEFORE, SWAPPED
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer, settings_of
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

NEW_PASSWORD = "Changed456!"
KINDS = {"reset-link", "verify-email", "invitation"}


def queue_all_kinds(browser: Browser, directory: Path) -> None:
    """Asks for a mail with a link of each kind."""
    forgetful, unverified = browser.register(), browser.register()
    assert browser.post("/auth/forgot-password", {"email": forgetful["email"]}).status_code == 200
    assert browser.post("/auth/verify-email/request", {"email": unverified["email"]}).status_code == 200
    invited = ("users", "create", "--name", "Invited", "--email", new_email("invited"), "--invite")
    assert latchkey(*invited, directory=directory, dsn=browser.server.dsn).code == 0


def stored_hashes(sql: Sql) -> set[str]:
    """Returns the hashes of the links that would work now, in hex."""
    return {
        row["hash"]
        for row in sql.execute(
            "SELECT reset_token AS hash FROM users WHERE reset_token IS NOT NULL"
            " UNION ALL SELECT encode(token_hash, 'hex') FROM email_tokens"
        )
    }


def composed_and_refused(
    smtp: SmtpServer,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    sql: Sql,
    directory: Path,
    secrets: dict[str, str],
) -> set[str]:
    """Has an instance with these secrets compose a mail of each kind that its mail server does not take yet.

    Returns the hashes of their links. The instance is stopped.
    """
    smtp.data = "451 4.3.0 Try again later"
    server = start(**settings_of(smtp) | secrets)
    browser = open_browser(server)
    queue_all_kinds(browser, directory)
    try_now(sql, browser)
    eventually(lambda: {row["kind"] for row in rows(sql) if row["last_error"]} == KINDS, "each has failed once")
    assert server.stop() == 0, server.printed()
    smtp.data = "250 OK"
    return stored_hashes(sql)


@pytest.mark.parametrize(
    ("composes", "sends"), [(BEFORE, SWAPPED), (ADDED, SWAPPED), (SWAPPED, ADDED), (SWAPPED, AFTER), (BEFORE, BEFORE)]
)
def test_the_link_is_the_one_that_is_stored(
    smtp: SmtpServer,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    own_sql: Sql,
    tmp_path: Path,
    composes: dict[str, str],
    sends: dict[str, str],
) -> None:
    """Of every kind. It works, once, and no new one was made."""
    hashes = composed_and_refused(smtp, start, open_browser, own_sql, tmp_path, composes)
    assert len(hashes) == len(KINDS)
    browser = open_browser(start(**settings_of(smtp) | sends))
    try_now(own_sql, browser)
    mails = smtp.wait_for(len(KINDS))
    wait_until_settled(own_sql)
    assert {hashlib.sha256(mail.token.encode()).hexdigest() for mail in mails} == hashes
    assert stored_hashes(own_sql) == hashes
    for mail in mails:
        if "verify" in mail.text.partition("#token=")[0].rpartition("/")[2]:
            path, body = "/auth/verify-email", {"token": mail.token}
        else:
            path, body = "/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}
        assert [browser.post(path, body).status_code for _ in range(2)] == [200, 400]


def test_without_its_secret_a_mail_is_dropped(
    smtp: SmtpServer,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    own_sql: Sql,
    tmp_path: Path,
) -> None:
    """Nobody gets a link that does not work. People ask again."""
    # Otherwise a signing key would stop the start of an instance without its secret.
    without_keys = {"PUBLIC_URL": ""}
    composed_and_refused(smtp, start, open_browser, own_sql, tmp_path, BEFORE | without_keys)
    browser = open_browser(start(**settings_of(smtp) | AFTER | without_keys))
    try_now(own_sql, browser)
    eventually(lambda: not {row["kind"] for row in rows(own_sql)} & KINDS, "all are gone")
    assert smtp.received == []
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    (mail,) = smtp.wait_for(1)
    answer = browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD})
    assert answer.status_code == 200
