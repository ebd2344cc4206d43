"""What arrives, by SMTP."""

import hashlib
from collections.abc import Callable
from email.headerregistry import Address
from pathlib import Path

from tests.kit.browser import PASSWORD, Browser
from tests.kit.outbox_rows import rows, try_now, wait_until_settled, wake
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer, settings_of
from tests.kit.stored import Sql, audited, user_row
from tests.kit.waiting import eventually

NEW_PASSWORD = "Changed456!"


def test_the_way_back_into_an_account(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """A forgotten password, from the request to the notice: one mail each, whose headers and both parts are right,
    and whose link works."""
    browser = open_browser(mailing)
    user = browser.register()
    asked = browser.post("/auth/forgot-password", {"email": user["email"].upper()})
    (mail,) = smtp.wait_for(1)
    assert (mail.sender, mail.recipients) == ("accounts@example.com", [user["email"]])
    assert str(mail.message["From"]) == "Accounts <accounts@example.com>"
    assert str(mail.message["To"]) == user["email"]
    assert str(mail.message["Subject"]) == "Reset your password"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.id.startswith("<")
    assert mail.id.endswith("@example.com>")
    assert mail.message["Date"].datetime.tzinfo is not None
    parts = [part.get_content_type() for part in mail.message.walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    link = f"https://accounts.example.com/reset-password#token={mail.token}"
    assert link in mail.text
    assert f'href="{link}"' in mail.html
    assert user_row(own_sql, user["id"])["reset_token"] == hashlib.sha256(mail.token.encode()).hexdigest()
    assert audited(own_sql, asked) == [("FORGOT_PASSWORD", None, user["id"])]

    assert browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}).status_code == 200
    assert browser.login(user["email"], NEW_PASSWORD).status_code == 200
    notice = smtp.wait_for(2)[1]
    assert (notice.recipients, str(notice.message["Subject"])) == ([user["email"]], "Your password was changed")
    assert "127.0.0.1" in notice.text
    assert "#token=" not in notice.text
    assert [row["attempts"] for row in wait_until_settled(own_sql)] == [1, 1]
    assert len(smtp.received) == 2


def test_nothing_raw_is_kept_or_logged(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """A token is in its mail only: in no column of any table, in no log line.

    The log has kind and id of a mail, and neither address nor text.
    """
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    (mail,) = smtp.wait_for(1)
    (row,) = wait_until_settled(own_sql)
    tables = own_sql.execute(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
    ).fetchall()
    assert len(tables) >= 4
    for table in tables:
        # A row as text shows bytea in hex, which is how the token reads in the mail.
        stored = own_sql.execute(f"SELECT t::text AS line FROM {table['name']} AS t").fetchall()
        assert [line for line in stored if mail.token in line["line"]] == [], table["name"]
    sent = f'"kind": "reset-link", "mail": {row["id"]}'
    eventually(lambda: sent in mailing.printed(), "the log says that it was sent")
    printed = mailing.printed()
    assert [secret for secret in (mail.token, user["email"], "We received a request") if secret in printed] == []


def test_notices_go_to_the_address_of_the_time(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Owners are notified: the old address of a change of address, the account's address of a change of password.

    Other changes, and failed ones, send nothing.
    """
    browser = open_browser(mailing)
    user = browser.sign_up()
    verify = "UPDATE users SET email_verified_at = now()"
    own_sql.execute(verify)
    path, old, new = f"/users/{user['id']}", user["email"], f"new-{user['email']}"
    taken = open_browser(mailing).register()["email"]
    assert browser.patch(path, {"name": "Other"}).status_code == 200
    assert browser.patch(path, {"email": old}).status_code == 200
    assert browser.patch(path, {"email": taken}).status_code == 409
    wrong = {"currentPassword": "Wrong123!", "newPassword": NEW_PASSWORD}
    assert browser.post("/auth/change-password", wrong).status_code == 400
    assert rows(own_sql) == []

    assert browser.patch(path, {"email": new}).status_code == 200
    own_sql.execute(verify)
    assert browser.put(path, {"name": "Other", "email": f"newer-{old}"}).status_code == 200
    own_sql.execute(verify)
    right = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    assert browser.post("/auth/change-password", right).status_code == 200
    mails = smtp.wait_for(3)
    assert [(mail.recipients, str(mail.message["Subject"])) for mail in mails] == [
        ([old], "Your e-mail address was changed"),
        ([new], "Your e-mail address was changed"),
        ([f"newer-{old}"], "Your password was changed"),
    ]
    assert [row["user_id"] for row in wait_until_settled(own_sql)] == [user["id"]] * 3


def test_several_instances_send_each_mail_once(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Fifty mails, two instances, each with a connection that it keeps while there is something to send."""
    first = open_browser(start(**settings_of(smtp)))
    second = open_browser(start(**settings_of(smtp)))
    own_sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, next_attempt_at) SELECT 'password-changed', n || '@example.com',"
        " now() + interval '1 hour' FROM generate_series(1, 50) AS n"
    )
    own_sql.execute("UPDATE mail_outbox SET next_attempt_at = now()")
    wake(first)
    wake(second)
    mails = smtp.wait_for(50)
    wait_until_settled(own_sql)
    assert len(smtp.received) == len(mails) == 50
    assert len({mail.id for mail in mails}) == 50
    assert {mail.recipients[0] for mail in mails} == {f"{n}@example.com" for n in range(1, 51)}
    assert {row["attempts"] for row in rows(own_sql)} == {1}
    assert 1 <= smtp.connections < 10


def test_a_sixth_link_within_an_hour_is_not_sent(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Nobody can flood another user's mailbox. The answers do not differ, and an hour later mails are sent again."""
    browser = open_browser(mailing)
    user, other = browser.register(), browser.register()
    answers = [browser.post("/auth/forgot-password", {"email": user["email"]}) for _ in range(7)]
    assert len({answer.content for answer in answers}) == 1
    browser.post("/auth/forgot-password", {"email": other["email"]})
    wait_until_settled(own_sql)
    assert [mail.recipients[0] for mail in smtp.received] == [user["email"]] * 5 + [other["email"]]
    own_sql.execute("UPDATE mail_outbox SET token_made_at = token_made_at - interval '61 minutes'")
    browser.post("/auth/forgot-password", {"email": user["email"]})
    mail = smtp.wait_for(7)[-1]
    assert browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}).status_code == 200


HOSTILE = 'A\r\nBcc: victim@example.com\r\n\r\n<script>alert("hi")</script> \u202e Ünïcödé 🔑'


def test_a_name_cannot_become_a_header(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql, tmp_path: Path
) -> None:
    """Names from node-api-postgres may hold any text. A subject stays one line, and the HTML escapes them."""
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "reset-link.txt").write_text("Subject: For {{ name }}\n\nHello {{ name }}: {{ link }}\n")
    (templates / "reset-link.html").write_text("<p>Hello {{ name }}: {{ link }}</p>")
    browser = open_browser(start(MAIL_TEMPLATES=str(templates), **settings_of(smtp)))
    user = browser.register()
    own_sql.execute("UPDATE users SET name = %s WHERE id = %s", [HOSTILE, user["id"]])
    browser.post("/auth/forgot-password", {"email": user["email"]})
    (mail,) = smtp.wait_for(1)
    assert mail.recipients == [user["email"]]
    assert mail.message["Bcc"] is None
    expected = 'For A Bcc: victim@example.com <script>alert("hi")</script> Ünïcödé 🔑'
    assert str(mail.message["Subject"]) == expected
    assert "Ünïcödé 🔑" in mail.text
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html


def test_an_address_that_is_none_gets_nothing(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """An account from node-api-postgres may have any text as its address.

    Nothing is sent, to other addresses either, and not retried.
    """
    addresses = ["a@example.com\r\nBcc: victim@example.com", "a@example.com, victim@example.com", "ä@example.com", "me"]
    own_sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, next_attempt_at)"
        " SELECT 'password-changed', unnest(%s::text[]), now() + interval '1 hour'",
        [addresses],
    )
    try_now(own_sql, open_browser(mailing))
    settled = wait_until_settled(own_sql)
    assert [row["recipient"] for row in settled if row["failed_at"] is not None] == addresses
    assert {row["last_error"] for row in settled} == {"mail cannot be sent to the account's address"}
    assert smtp.received == []


def test_sender_with_a_name(
    smtp: SmtpServer, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """MAIL_FROM may have a name, with letters of any script; RESET_URL is where the link points."""
    settings = settings_of(smtp) | {
        "MAIL_FROM": "Bücher & Co <konto@example.org>", "RESET_URL": "https://app.example.com/password?from=mail"
    }  # fmt: skip
    browser = open_browser(start(**settings))
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    (mail,) = smtp.wait_for(1)
    assert mail.message["From"].addresses == (Address("Bücher & Co", addr_spec="konto@example.org"),)
    assert mail.sender == "konto@example.org"
    assert mail.id.endswith("@example.org>")
    assert f"\nhttps://app.example.com/password?from=mail#token={mail.token}\n" in mail.text
