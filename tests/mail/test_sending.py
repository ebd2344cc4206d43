"""What arrives, by SMTP."""

import hashlib
from collections.abc import Callable

from tests.cli.command import eventually
from tests.harness.browser import PASSWORD, Browser
from tests.harness.server import Server
from tests.mail.smtp_server import SmtpServer
from tests.scenarios.stored import Sql, user_row

NEW_PASSWORD = "Changed456!"


def test_the_way_back_into_an_account(
    smtp: SmtpServer, mailing: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """A forgotten password, from the request to the notice: one mail each, whose headers and both parts are right,
    and whose link works."""
    browser = open_browser(mailing)
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"].upper()})
    (mail,) = smtp.wait_for(1)
    assert (mail.sender, mail.recipients) == ("accounts@example.com", [user["email"]])
    assert str(mail.message["From"]) == "Accounts <accounts@example.com>"
    assert str(mail.message["To"]) == user["email"]
    assert str(mail.message["Subject"]) == "Reset your password"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.id.startswith("<")
    assert mail.id.endswith("@example.com>")
    assert mail.message["Date"].datetime.tzinfo is not None
    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/alternative", "text/plain", "text/html"
    ]  # fmt: skip
    link = f"http://localhost:{mailing.port}/reset-password#token={mail.token}"
    assert link in mail.text
    assert f'href="{link}"' in mail.html
    assert user_row(own_sql, user["id"])["reset_token"] == hashlib.sha256(mail.token.encode()).hexdigest()

    assert browser.post("/auth/reset-password", {"token": mail.token, "newPassword": NEW_PASSWORD}).status_code == 200
    assert browser.login(user["email"], NEW_PASSWORD).status_code == 200
    notice = smtp.wait_for(2)[1]
    assert (notice.recipients, str(notice.message["Subject"])) == ([user["email"]], "Your password was changed")
    assert "127.0.0.1" in notice.text
    assert "#token=" not in notice.text
    eventually(lambda: _waiting(own_sql) == 0, "both are noted as sent")
    assert len(smtp.received) == 2
    assert PASSWORD not in mailing.printed()


def _waiting(sql: Sql) -> int:
    return sql.execute("SELECT FROM mail_outbox WHERE sent_at IS NULL").rowcount
