"""TLS and sign-in at the mail server: Latchkey gets what SMTP_URL asks for, or sends nothing."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.kit.browser import Browser
from tests.kit.certificates import certify
from tests.kit.command_line import latchkey
from tests.kit.outbox_rows import wait_for_failure
from tests.kit.server import Server
from tests.kit.smtp_server import PASSWORD, USER, SmtpServer, settings_of
from tests.kit.stored import Sql

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


def _ask_for_link(browser: Browser) -> None:
    email = browser.register()["email"]
    assert browser.post("/auth/forgot-password", {"email": email}).status_code == 200


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_encrypted_and_signed_in(
    scheme: str, start: Callable[..., Server], open_browser: Callable[..., Browser], tmp_path: Path
) -> None:
    """Both ways of TLS, the certificate vouched for by the authorities of SSL_CERT_FILE, with a user and password that
    have every awkward character; the doctor says the same, and shows no password."""
    certified = certify(tmp_path, "localhost")
    trusted = {"SSL_CERT_FILE": str(certified.authority)}
    with SmtpServer(tls=certified.context, implicit_tls=scheme == "smtps", login=True) as smtp:
        settings = settings_of(smtp, scheme, LOGIN, "localhost") | trusted
        _ask_for_link(open_browser(start(**settings)))
        (mail,) = smtp.wait_for(1)
        assert mail.encrypted
        done = latchkey("doctor", directory=tmp_path, **settings)
        assert f"ok       SMTP: localhost:{smtp.port} accepts mails" in done.out
        wrong = settings_of(smtp, scheme, f"{quote(USER, safe='')}:hunter2@", "localhost") | trusted
        done = latchkey("doctor", directory=tmp_path, **wrong)
        assert f"problem  SMTP: localhost:{smtp.port}: the server refused the user or password: 535 5.7.8" in done.out
        assert "hunter2" not in done.out + done.err


def test_without_starttls_nothing_is_said(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """An attacker who strips STARTTLS from the server's answer gets neither mail nor password."""
    with SmtpServer() as smtp:
        server = start(**settings_of(smtp, "smtp+starttls", LOGIN))
        _ask_for_link(open_browser(server))
        row = wait_for_failure(own_sql, 1)
        assert row["last_error"] == "the server does not offer what SMTP_URL asks for: STARTTLS"
        assert row["failed_at"] is None
        assert smtp.received == []
        assert "p@ss" not in server.printed()


@pytest.mark.parametrize(
    ("scheme", "name", "trusted", "reason"),
    [
        ("smtp+starttls", "localhost", False, "self-signed certificate"),
        ("smtps", "localhost", False, "self-signed certificate"),
        ("smtps", "other.test", True, "Hostname mismatch"),
    ],
)
def test_certificate_that_is_not_good(
    scheme: str,
    name: str,
    trusted: bool,
    reason: str,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    own_sql: Sql,
    tmp_path: Path,
) -> None:
    """An unknown authority, or another host's certificate: nothing is sent, and the reason can be read."""
    certified = certify(tmp_path, name)
    with SmtpServer(tls=certified.context, implicit_tls=scheme == "smtps", login=True) as smtp:
        settings = settings_of(smtp, scheme, LOGIN, "localhost")
        if trusted:
            settings["SSL_CERT_FILE"] = str(certified.authority)
        _ask_for_link(open_browser(start(**settings)))
        row = wait_for_failure(own_sql, 1)
        assert row["last_error"].startswith("the server's certificate cannot be verified: ")
        assert reason in row["last_error"]
        assert smtp.received == []
