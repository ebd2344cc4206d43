"""Sends mails by SMTP, over one connection as long as mails are waiting."""

import asyncio
import re
import ssl
from contextlib import suppress
from email.headerregistry import Address
from typing import NoReturn

import aiosmtplib
from aiosmtplib import errors

from latchkey.clock import Clock
from latchkey.mail.message import Mail
from latchkey.mail.mime import Unaddressable, as_message
from latchkey.mail.sending import NotSent
from latchkey.mail.settings import SmtpServer

STEP_SECONDS = 10.0
QUIT_SECONDS = 2.0
DETAIL_MAX = 200
NO_ADDRESS = "mail cannot be sent to the account's address"
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SmtpSender:
    """Sends mails through `server`, from `sender`. TLS is verified with the system's certificate authorities."""

    def __init__(self, server: SmtpServer, sender: Address, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._context = tls_context(server)
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: Mail) -> None:
        """Sends a mail; the server has accepted it on return. Raises NotSent."""
        try:
            message = as_message(mail, self._sender, self._clock()).as_bytes()
        except Unaddressable:
            raise NotSent(NO_ADDRESS, permanent=True) from None
        try:
            client = await self._connected()
            await client.sendmail(self._sender.addr_spec, [mail.to], message)
        except BaseException as error:
            # The state of the connection is unknown now, after a cancelled attempt too, so it must not be used again.
            self._drop()
            if isinstance(error, Exception):
                _raise_not_sent(error)
            raise

    async def close(self) -> None:
        """Says goodbye to the server and closes the connection."""
        client, self._client = self._client, None
        if client is not None:
            await quit_and_close(client)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None:
            with suppress(errors.SMTPException, OSError):
                # Servers close an idle connection. RSET finds that out before a mail is begun.
                await self._client.rset()
                return self._client
            self._drop()
        self._client = await open_connection(self._server, self._context, self._sender.domain)
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def tls_context(server: SmtpServer) -> ssl.SSLContext | None:
    """Returns the TLS context that verifies the server; None for plain text.

    It reads the system's authorities (50 ms).
    """
    return None if server.encryption == "none" else ssl.create_default_context()


async def open_connection(server: SmtpServer, context: ssl.SSLContext | None, own_name: str) -> aiosmtplib.SMTP:
    """Opens a connection, encrypted and signed in as `server` says. Raises an error that `describe_error` can describe."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        # The machine's own name is private, and looking it up can be slow.
        local_hostname=own_name,
        timeout=STEP_SECONDS,
        use_tls=server.encryption == "tls",
        # True: without STARTTLS the connection fails, and only EHLO has been sent.
        start_tls=server.encryption == "starttls",
        tls_context=context,
    )
    await client.connect()
    return client


async def quit_and_close(client: aiosmtplib.SMTP) -> None:
    """Sends QUIT, best effort, and closes the connection."""
    with suppress(errors.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(QUIT_SECONDS):
            await client.quit()
    client.close()


def describe_error(error: Exception) -> str:
    """Describes an error without quoting the server, whose text may repeat a password, an address or content."""
    if isinstance(error, errors.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, errors.SMTPResponseException):
        what = {
            errors.SMTPRecipientRefused: "the server refused the recipient",
            errors.SMTPSenderRefused: "the server refused the sender (MAIL_FROM)",
            errors.SMTPDataError: "the server refused the mail",
            errors.SMTPAuthenticationError: "the server refused the user or password",
        }.get(type(error), "the server refused the connection")
        return f"{what}: {_codes(error)}"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate cannot be verified: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or type(cause).__name__}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, OSError):
        cause = next((cause for cause in _causes(error) if not isinstance(cause, errors.SMTPException)), error)
        return f"the server cannot be reached or closed the connection: {type(cause).__name__}"
    # The library's text names the feature that the server does not offer.
    wanted = "STARTTLS" if "STARTTLS" in str(error) else "signing in with a password"
    return f"the server does not offer what SMTP_URL asks for: {wanted}"


def _raise_not_sent(error: Exception) -> NoReturn:
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        raise NotSent(NO_ADDRESS, permanent=True) from None
    refusal = error.recipients[0] if isinstance(error, errors.SMTPRecipientsRefused) else error
    # An answer to this recipient or this mail. Any other is about the server or about our settings.
    personal = isinstance(refusal, errors.SMTPRecipientRefused | errors.SMTPDataError)
    code = refusal.code if isinstance(refusal, errors.SMTPResponseException) else 0
    detail = ""
    if isinstance(refusal, errors.SMTPRecipientRefused | errors.SMTPSenderRefused):
        # This answer came before the server saw the mail. Later answers might quote a link from it.
        detail = "".join(c if c.isprintable() else " " for c in str(refusal.message))[:DETAIL_MAX]
    permanent = personal and code >= 500 and not _is_relay_refusal(refusal)
    raise NotSent(describe_error(error), permanent=permanent, server_away=not personal, detail=detail) from None


def _is_relay_refusal(refusal: Exception) -> bool:
    """Tells whether the server refuses to relay for us ("relay access denied", RFC 3463 class 5.7).

    An operator can correct that with a setting, so the mail stays in the outbox.
    """
    return isinstance(refusal, errors.SMTPRecipientRefused) and (
        refusal.code == 530 or str(refusal.message).startswith("5.7.")
    )


def _codes(error: errors.SMTPResponseException) -> str:
    enhanced = _ENHANCED_CODE.match(str(error.message))
    return f"{error.code} {enhanced.group()}" if enhanced else str(error.code)


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain
