"""Settings of mail. Errors quote nothing of SMTP_URL, because it may hold a password."""

import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator

from latchkey.settings import ServiceSettings

Encryption = Literal["none", "starttls", "tls"]

SCHEMES: dict[str, tuple[Encryption, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}

_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The SMTP server and how to sign in to it. `starttls` never falls back to plain text."""

    encryption: Encryption
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_smtp_url(url: str) -> SmtpServer:
    """Parses `smtp://`, `smtp+starttls://` or `smtps://`, with or without a percent-encoded `user:password@`.

    Raises ValueError, whose text quotes nothing of the URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in SCHEMES:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps://")
    login, at, place = parts.netloc.rpartition("@")
    # An unencoded / ? # or @ in a password makes the rest read as another part of the URL.
    if not _HOST_AND_PORT.fullmatch(place) or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(
            "must be scheme://user:password@host:port and nothing more. In user and password, write % / ? # @ : as"
            " %25 %2F %3F %23 %40 %3A"
        )
    user, colon, password = login.partition(":")
    if at and not (user and colon and password):
        raise ValueError("must have both user and password, user:password@, or neither")
    if re.search(r"%(?![0-9A-Fa-f]{2})|[@:]", user + password):
        raise ValueError("in user and password, write % @ : as %25 %40 %3A")
    encryption, port = SCHEMES[parts.scheme]
    try:
        port = port if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError("its port must be from 1 to 65535")
    try:
        decoded = (unquote(user, errors="strict"), unquote(password, errors="strict")) if at else (None, None)
    except UnicodeDecodeError:
        raise ValueError("its user or password is not percent-encoded UTF-8") from None
    if any(not character.isprintable() for part in decoded if part for character in part):
        raise ValueError("its user or password holds a control character")
    assert parts.hostname, "the host has been matched"
    return SmtpServer(encryption, parts.hostname, port, *decoded)


def parse_mail_from(value: str) -> Address:
    """Parses `a@b` or `Name <a@b>`. Raises ValueError."""
    name, address = parseaddr(value)
    if not value.isprintable() or not _ADDRESS.fullmatch(address) or not value.rstrip(" >").endswith(address):
        raise ValueError("must be an address, such as accounts@example.com or Accounts <accounts@example.com>")
    try:
        return Address(display_name=name, addr_spec=address)
    except (MessageError, ValueError, IndexError):
        raise ValueError("must be an address, such as accounts@example.com") from None


class MailSettings(ServiceSettings):
    """Mail."""

    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: `smtp+starttls://user:password@host:587`, `smtps://…` or `smtp://…`. Unset, production "
        "sends no mail.",
    )
    mail_from: str | None = Field(None, description="Address that mails come from. Required with SMTP_URL.")
    mail_templates: Path | None = Field(None, description="Directory of mail templates that replace the built-in ones.")

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url_is_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_smtp_url(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_from_is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            parse_mail_from(value)
        return value

    def smtp_server(self) -> SmtpServer | None:
        """Returns the SMTP server, or None."""
        return parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None

    def mail_is_sent(self) -> bool:
        """Tells whether mail is sent by SMTP or printed by `latchkey dev`."""
        return self.development or self.smtp_url is not None
