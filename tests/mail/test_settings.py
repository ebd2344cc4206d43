"""SMTP_URL, MAIL_FROM, RESET_URL and VERIFY_URL: what is read, and what is refused without quoting a password."""

from email.headerregistry import Address
from typing import Any

import pytest

from latchkey.app import Settings
from latchkey.mail.settings import SmtpServer, parse_mail_from, parse_smtp_url
from latchkey.settings import SettingsError, load_settings

pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("none", "mail.example.com", 25)),
        ("smtp://127.0.0.1:1025/", SmtpServer("none", "127.0.0.1", 1025)),
        ("smtp+starttls://u:p@mail.example.com", SmtpServer("starttls", "mail.example.com", 587, "u", "p")),
        ("smtps://u:p@mail.example.com", SmtpServer("tls", "mail.example.com", 465, "u", "p")),
        ("smtps://[::1]:2465", SmtpServer("tls", "::1", 2465)),
        (
            "smtps://me%40example.com:p%3Aw%2F%3F%23%40%25%C3%A9@mail.example.com:465",
            SmtpServer("tls", "mail.example.com", 465, "me@example.com", "p:w/?#@%é"),
        ),
    ],
)
def test_urls_that_are_read(url: str, server: SmtpServer) -> None:
    """The three schemes with their usual ports; user and password percent-encoded."""
    assert parse_smtp_url(url) == server
    assert str(server.password) not in repr(server) or server.password in {None, "p"}


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com:25", "https://mail.example.com", "smtp://", "smtp://u:hunter2@", "smtp://u:hunter2@:25",
        "smtp://u:hunter2@mail.example.com:0", "smtp://u:hunter2@mail.example.com:65536",
        "smtp://u:hunter2@mail.example.com:port", "smtp://u:hunter2@mail.example.com/path",
        "smtps://u:hunter2@mail.example.com?verify=false", "smtp://u:hunter2@mail.example.com#x",
        "smtp://u:hunter#2@mail.example.com", "smtp://u:hunter/2@mail.example.com", "smtp://u:hunter?2@mail.example.com",
        "smtp://u:hunter@2@mail.example.com", "smtp://u:hunter%2@mail.example.com", "smtp://u:hunter2%FF@mail.example.com",
        "smtp://u:hunter2%0A@mail.example.com", "smtp://u:hunter:2@mail.example.com", "smtp://u@mail.example.com",
        "smtp://u:@mail.example.com", "smtp://:hunter2@mail.example.com", "smtp://u:hunter2@mail example.com",
        "smtp://u:hunter2@[::1", "smtp://u:hunter2@[nonsense]:25",
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str) -> None:
    """Refuses a URL that would be misread, and a switch to skip certificates. Quotes nothing."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(Settings, environment="development", smtp_url=url, mail_from="a@example.com")
    (line,) = refusal.value.problems
    assert line.startswith("SMTP_URL: ")
    assert "hunter" not in line


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("accounts@example.com", "", "accounts@example.com"),
        ("Accounts <accounts@example.com>", "Accounts", "accounts@example.com"),
        ('"Smith, Ünï & Co" <a.b+c@localhost>', "Smith, Ünï & Co", "a.b+c@localhost"),
    ],
)
def test_senders(value: str, name: str, address: str) -> None:
    """An address, with a name or without."""
    assert parse_mail_from(value) == Address(name, addr_spec=address)


@pytest.mark.parametrize(
    "value",
    ["accounts", "accounts@", "@example.com", "a@example.com, b@example.com", "A <a@example.com> b", "ä@example.com",
     "A <a@example.com>\r\nBcc: b@example.com", "a b@example.com", "A <>"],
)  # fmt: skip
def test_what_is_no_sender(value: str) -> None:
    """One address that every server takes, and nothing that could be another header."""
    with pytest.raises(SettingsError, match="MAIL_FROM: must be an address"):
        load_settings(Settings, environment="development", mail_from=value)


def test_sender_is_needed() -> None:
    """With a server and without a sender every mail would fail, so the start refuses."""
    with pytest.raises(SettingsError, match="MAIL_FROM: is required with SMTP_URL"):
        load_settings(Settings, smtp_url="smtp://localhost")


@pytest.mark.parametrize("field", ["reset_url", "verify_url"])
@pytest.mark.parametrize(
    "value",
    [
        "/password",
        "app.example.com/x",
        "ftp://app.example.com",
        "https://a.example.com/#/reset",
        "https://a.example.com/\nx",
    ],
)
def test_pages_of_a_front_end(field: str, value: str) -> None:
    """RESET_URL and VERIFY_URL: absolute, and without a fragment of their own, since the token is behind `#`."""
    with pytest.raises(SettingsError, match=f"{field.upper()}: must "):
        load_settings(Settings, **{"environment": "development", field: value})  # type: ignore[arg-type]  # no bool among them


@pytest.mark.parametrize(
    "value",
    ["/account", "app.example.com", "javascript:alert(1)", "JavaScript:alert(1)//https://a", "data:text/html,x",
     "ftp://app.example.com", "https://", "https:///path", "https://user@app.example.com", "https://a.example.com/\nx",
     "https://a.example.com/a b", "https://bücher.example.com", "https://a.example.com:99999"],
)  # fmt: skip
def test_what_our_pages_do_not_lead_to(value: str) -> None:
    """RETURN_URL is a page of the web, nothing else that a link could start."""
    with pytest.raises(SettingsError, match="RETURN_URL: must "):
        load_settings(Settings, environment="development", return_url=value)


@pytest.mark.parametrize("value", ["https://app.example.com", "http://localhost:5173/#/start?x=1", ""])
def test_where_our_pages_lead(value: str) -> None:
    """As it is written, with a fragment, too."""
    assert load_settings(Settings, environment="development", return_url=value).return_url == value


def test_default_pages() -> None:
    """Ours, under PUBLIC_URL, unless the front end has its own."""
    given: dict[str, Any] = {"public_url": "https://a.example.com/auth/", "verify_url": "http://localhost:5173/verify"}
    settings = load_settings(Settings, **given)
    assert settings.reset_page(settings.base_url()) == "https://a.example.com/auth/reset-password"
    assert settings.verify_page(settings.base_url()) == "http://localhost:5173/verify"
    assert not settings.mail_is_sent()
    assert load_settings(Settings, smtp_url="smtp://localhost", mail_from="a@example.com").mail_is_sent()
