"""Mail servers that are away, refuse or hang, and a process that is killed in between."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.kit.browser import Browser
from tests.kit.command_line import latchkey
from tests.kit.outbox_rows import rows, try_now, wait_for_failure, wait_until_settled, wake
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer, settings_of
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

NEW_PASSWORD = "Changed456!"
PAUSES = [10, 30, 120, 600, 1800, 3600, 10800]


def test_server_down_then_up(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """A mail waits, longer each time, and arrives when the server is back; the account got one token and one audit
    row, and the link has all of its minutes."""
    smtp.stop()
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    for attempt, pause in enumerate(PAUSES[:3], 1):
        row = wait_for_failure(own_sql, attempt)
        assert row["last_error"] == "the server cannot be reached or closed the connection: ConnectionRefusedError"
        assert pause - 5 < row["pause"] <= pause
        if attempt < 3:
            try_now(own_sql, browser)
    own_sql.execute("UPDATE users SET reset_token_expires = now() - interval '1 hour'")
    smtp.start()
    try_now(own_sql, browser)
    (mail,) = smtp.wait_for(1)
    (row,) = wait_until_settled(own_sql)
    assert (row["attempts"], row["last_error"]) == (4, None)
    assert own_sql.execute("SELECT FROM audit_logs WHERE action = 'FORGOT_PASSWORD'").rowcount == 1
    assert browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}).status_code == 200


def test_given_up_after_the_last_attempt(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """After eight attempts the mail is the operator's. A server that is down costs the other mails no attempt."""
    smtp.stop()
    browser = open_browser(mailing)
    own_sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, attempts, next_attempt_at) VALUES"
        " ('password-changed', 'a@example.com', 7, now() - interval '1 minute'),"
        " ('password-changed', 'b@example.com', 0, now() - interval '30 seconds')"
    )
    wake(browser)
    eventually(lambda: rows(own_sql)[0]["failed_at"] is not None, "the first is given up")
    first, second, *_ = rows(own_sql)
    assert first["attempts"] == 8
    assert second["attempts"] <= 1
    eventually(lambda: "a mail was given up" in mailing.printed(), "the log says so")
    assert "example.com" not in mailing.printed().replace("accounts.example.com", "")


def test_refused_then_retried_by_the_operator(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql, tmp_path: Path
) -> None:
    """A 5xx for the recipient is final at once: listed with its reason, counted by the doctor, and `mail retry` has it
    delivered. A 4xx is not final, nor that the server does not know us."""
    run = partial(latchkey, directory=tmp_path, dsn=mailing.dsn)
    browser = open_browser(mailing)
    user = browser.register()
    smtp.rcpt = "451 4.7.1 Greylisted, try again later"
    browser.post("/auth/forgot-password", {"email": user["email"]})
    row = wait_for_failure(own_sql, 1)
    assert row["last_error"] == "the server refused the recipient: 451 4.7.1: 4.7.1 Greylisted, try again later"
    assert row["failed_at"] is None

    smtp.rcpt = "554 5.7.1 Relay access denied"
    try_now(own_sql, browser)
    assert wait_for_failure(own_sql, 2)["failed_at"] is None

    smtp.rcpt = f"550 5.1.1 <{user['email']}>: no such mailbox"
    try_now(own_sql, browser)
    row = wait_for_failure(own_sql, 3)
    assert row["failed_at"] is not None
    (listed,) = run("mail", "list", "--state", "failed", "--json").json()
    assert listed["recipient"] == user["email"]
    assert listed["last_error"].startswith("the server refused the recipient: 550 5.1.1")
    assert user["email"] not in mailing.printed()
    doctor = latchkey("doctor", directory=tmp_path, dsn=mailing.dsn, **settings_of(smtp))
    assert doctor.code == 0, doctor
    assert "warning  outbox: 1 mail was given up" in doctor.out
    assert f"ok       SMTP: 127.0.0.1:{smtp.port} accepts mails" in doctor.out

    smtp.rcpt = "250 OK"
    assert run("mail", "retry", str(row["id"])).out == "1 mail queued again\n"
    (mail,) = smtp.wait_for(1)
    (row,) = wait_until_settled(own_sql)
    assert (row["attempts"], row["failed_at"], row["last_error"]) == (1, None, None)
    assert browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}).status_code == 200


def test_an_answer_that_quotes_the_mail_is_not_kept(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Filters like to repeat the link that they object to. Row and log have only the codes."""
    smtp.data = "554 5.7.1 Spam: https://accounts.example.com/reset-password#token=0123456789abcdef"
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    row = wait_for_failure(own_sql, 1)
    assert row["failed_at"] is not None
    assert row["last_error"] == "the server refused the mail: 554 5.7.1"
    assert "0123456789abcdef" not in mailing.printed()


def test_killed_before_the_mail_is_noted_as_sent(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """At least once: a mail that the server may have taken is sent again after the lease, not before.

    It has the same Message-ID, by which mail programs know it, and the same link, which works once.
    """
    smtp.hang = True
    server = start(**settings_of(smtp))
    user = open_browser(server).register()
    open_browser(server).post("/auth/forgot-password", {"email": user["email"]})
    (first,) = smtp.wait_for(1)
    server.kill()
    smtp.hang = False
    browser = open_browser(start(**settings_of(smtp)))
    other = browser.register()
    browser.post("/auth/forgot-password", {"email": other["email"]})
    assert smtp.wait_for(2)[1].recipients == [other["email"]]
    assert 0 < rows(own_sql)[0]["pause"] <= 60
    try_now(own_sql, browser)
    again = smtp.wait_for(3)[2]
    assert (again.id, again.token, again.recipients) == (first.id, first.token, first.recipients)
    assert again.text == first.text
    assert (
        own_sql.execute("SELECT FROM audit_logs WHERE entity_id = %s AND actor_id IS NULL", [user["id"]]).rowcount == 1
    )
    spend = {"token": again.token, "newPassword": NEW_PASSWORD}
    assert [browser.post("/auth/reset-password", spend).status_code for _ in range(2)] == [200, 400]
    wait_until_settled(own_sql)


def test_killed_while_there_is_much_to_send(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """No mail is lost. At most the one in progress comes twice, as the same mail."""
    count = 60
    server = start(**settings_of(smtp))
    own_sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, next_attempt_at)"
        " SELECT 'password-changed', n || '@example.com', now() + interval '1 hour' FROM generate_series(1, %s) AS n",
        [count],
    )
    try_now(own_sql, open_browser(server))
    smtp.wait_for(10)
    server.kill()
    assert len(smtp.received) < count
    try_now(own_sql, open_browser(start(**settings_of(smtp))))
    wait_until_settled(own_sql)
    arrived = [(mail.recipients[0], mail.id) for mail in smtp.received]
    assert len(set(arrived)) == len({recipient for recipient, _ in arrived}) == count
    assert len(arrived) <= count + 1


@pytest.mark.parametrize("ended", ["spent", "superseded"])
def test_a_link_that_has_ended_is_not_revived(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql, ended: str
) -> None:
    """The mail arrived, the process died before it was noted, and the owner has used the link, or has asked for a
    newer one: the second sending must not bring the old token back to life. It does not happen at all."""
    smtp.hang = True
    server = start(**settings_of(smtp))
    browser = open_browser(server)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    (first,) = smtp.wait_for(1)
    spend = {"token": first.token, "newPassword": NEW_PASSWORD}
    if ended == "spent":
        assert browser.post("/auth/reset-password", spend).status_code == 200
    server.kill()
    smtp.hang = False
    browser = open_browser(start(**settings_of(smtp)))
    if ended == "superseded":
        browser.post("/auth/forgot-password", {"email": user["email"]})
    second = smtp.wait_for(2)[1]
    assert second.id != first.id
    try_now(own_sql, browser)
    wait_until_settled(own_sql)
    assert len(smtp.received) == 2
    assert {row["id"] for row in rows(own_sql)} == {2}
    assert browser.post("/auth/reset-password", spend | {"newPassword": "Third789!"}).status_code == 400


def test_an_answer_never_waits_for_the_mail_server(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser]
) -> None:
    """While the server hangs in the middle of a mail, forgot-password answers as always, known address or not, and
    SIGTERM ends the process within its bounds."""
    smtp.hang = True
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    smtp.wait_for(1)
    asked = [user["email"], "nobody@example.com"] * 5
    answers = [browser.post("/auth/forgot-password", {"email": email}) for email in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2
    assert mailing.stop() == 0
    smtp.hang = False


def test_mails_of_a_newer_version_are_left_alone(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """In a rolling deployment the new release's mails are the new release's to send."""
    own_sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, next_attempt_at) VALUES"
        " ('from-the-future', 'a@example.com', now() - interval '1 hour')"
    )
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    smtp.wait_for(1)
    future = rows(own_sql)[0]
    assert (future["attempts"], future["sent_at"], future["failed_at"]) == (0, None, None)
    assert "error" not in mailing.printed()


def test_a_mail_that_cannot_be_composed_holds_up_no_other(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """A fault that concerns one account: that mail is tried again later, with what was half done undone, and the next
    one goes out."""
    browser = open_browser(mailing)
    unlucky, other = browser.register(), browser.register()
    own_sql.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;"
        " CREATE TRIGGER refuse BEFORE UPDATE OF reset_token ON users FOR EACH ROW"
        f" WHEN (OLD.id = {unlucky['id']}) EXECUTE FUNCTION refuse()"
    )
    for user in (unlucky, other):
        assert browser.post("/auth/forgot-password", {"email": user["email"]}).status_code == 200
    assert smtp.wait_for(1)[0].recipients == [other["email"]]
    row = rows(own_sql)[0]
    assert (row["attempts"], row["last_error"]) == (1, "could not be composed: RaiseError")
    assert (row["token_made_at"], row["user_id"]) == (None, None)
    assert 5 < row["pause"] <= 10
    own_sql.execute("DROP TRIGGER refuse ON users")
    try_now(own_sql, browser)
    assert smtp.wait_for(2)[1].recipients == [unlucky["email"]]
    assert [row["attempts"] for row in wait_until_settled(own_sql)] == [2, 1]


def test_production_without_a_server_throws_mails_away(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Mails that will never be sent do not accumulate. The log says so, no token is made, and nothing is printed."""
    server = start(ENVIRONMENT="production", PUBLIC_URL="https://accounts.example.com")
    browser = open_browser(server)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    eventually(lambda: "a mail was discarded: SMTP_URL is not set" in server.printed(), "the log says so")
    eventually(lambda: rows(own_sql) == [], "nothing is kept")
    assert own_sql.execute("SELECT FROM users WHERE reset_token IS NOT NULL").rowcount == 0
    assert user["email"] not in server.printed()
