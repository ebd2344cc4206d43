"""Builds a mail in Internet format (RFC 5322): headers, plain text and HTML."""

from datetime import UTC, datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from latchkey.mail.message import Mail


class _Policy(EmailPolicy):
    """The library's policy with its own folding of subjects: Python 3.11 loses spaces around words that are not
    ASCII."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name != "Subject" or str(value).isascii():
            return super().fold_binary(name, value)
        encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}".encode("ascii")


# 7bit passes every server, and no server rewrites a line.
POLICY = _Policy(cte_type="7bit", linesep="\r\n", utf8=False)


class Unaddressable(Exception):
    """The address is not an e-mail address, or not ASCII."""


def as_message(mail: Mail, sender: Address, now: float) -> EmailMessage:
    """Builds the message; `now` is in seconds since the epoch. Raises Unaddressable.

    A header value cannot add a header: the library refuses a value with a line break.
    """
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = _address(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = datetime.fromtimestamp(now, UTC)
    message["Message-ID"] = f"<{mail.message_id}>"
    # RFC 3834: this header prevents automatic replies.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def _address(text: str) -> Address:
    if not text.isascii() or not text.isprintable():
        raise Unaddressable
    try:
        address = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        raise Unaddressable from None
    if address.addr_spec != text or not address.domain:
        raise Unaddressable
    return address
