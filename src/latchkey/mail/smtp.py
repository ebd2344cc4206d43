"""Sending by SMTP, over one connection while there is something to send."""

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
NO_ADDRESS = "the account's address is none that mail can be sent to"
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SmtpSender:
    """Hands mails to `server`, from `sender`. TLS, where it is asked for, is verified by the system's authorities."""

    def __init__(self, server: SmtpServer, sender: Address, clock: Clock) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._context = tls_context(server)
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: Mail) -> None:
        """Returns when the server has taken the mail. Raises NotSent."""
        try:
            message = as_message(mail, self._sender, self._clock()).as_bytes()
        except Unaddressable:
            raise NotSent(NO_ADDRESS, permanent=True) from None
        try:
            client = await self._connected()
            await client.sendmail(self._sender.addr_spec, [mail.to], message)
        except BaseException as error:
            # In what state the connection is, nobody knows; and a cancelled attempt must not leave it half used.
            self._drop()
            if isinstance(error, Exception):
                _raise_not_sent(error)
            raise

    async def rest(self) -> None:
        """Takes leave of the server."""
        client, self._client = self._client, None
        if client is not None:
            await say_goodbye(client)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None:
            with suppress(errors.SMTPException, OSError):
                # Servers hang up on who was silent: found out before anything of a mail is said.
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
    """What verifies the server; None where nothing is encrypted. Reads the system's authorities: some 50 ms."""
    return None if server.encryption == "none" else ssl.create_default_context()


async def open_connection(server: SmtpServer, context: ssl.SSLContext | None, own_name: str) -> aiosmtplib.SMTP:
    """A connection that is encrypted and signed in as `server` says. Raises what `explained` reads."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        # This machine's own name is nobody's business, and looking it up may take long.
        local_hostname=own_name,
        timeout=STEP_SECONDS,
        use_tls=server.encryption == "tls",
        # True: without STARTTLS it fails, before anything but EHLO has been said.
        start_tls=server.encryption == "starttls",
        tls_context=context,
    )
    await client.connect()
    return client


async def say_goodbye(client: aiosmtplib.SMTP) -> None:
    """QUIT, if the server has an ear for it, and the end of the connection."""
    with suppress(errors.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(QUIT_SECONDS):
            await client.quit()
    client.close()


def explained(error: Exception) -> str:
    """What went wrong, in words that quote nothing: no password, address or content, which servers like to repeat."""
    if isinstance(error, errors.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, errors.SMTPResponseException):
        what = {
            errors.SMTPRecipientRefused: "the server refused the recipient",
            errors.SMTPSenderRefused: "the server refused the sender (MAIL_FROM)",
            errors.SMTPDataError: "the server refused the mail",
            errors.SMTPAuthenticationError: "the server refused user or password",
        }.get(type(error), "the server refused us")
        return f"{what}: {_codes(error)}"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not good: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or type(cause).__name__}"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, OSError):
        cause = next((cause for cause in _causes(error) if not isinstance(cause, errors.SMTPException)), error)
        return f"the server cannot be reached, or hung up: {type(cause).__name__}"
    # The library's own words, which are about what the server does not offer.
    wanted = "STARTTLS" if "STARTTLS" in str(error) else "signing in with a password"
    return f"the server does not offer what SMTP_URL asks for: {wanted}"


def _raise_not_sent(error: Exception) -> NoReturn:
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        raise NotSent(NO_ADDRESS, permanent=True) from None
    refusal = error.recipients[0] if isinstance(error, errors.SMTPRecipientsRefused) else error
    # An answer to this recipient or this mail; everything else is about the server, or about our settings.
    personal = isinstance(refusal, errors.SMTPRecipientRefused | errors.SMTPDataError)
    code = refusal.code if isinstance(refusal, errors.SMTPResponseException) else 0
    detail = ""
    if isinstance(refusal, errors.SMTPRecipientRefused | errors.SMTPSenderRefused):
        # Said before the server has seen anything of the mail; later answers might quote a link from it.
        detail = "".join(c if c.isprintable() else " " for c in str(refusal.message))[:DETAIL_MAX]
    permanent = personal and code >= 500 and not _is_about_us(refusal)
    raise NotSent(explained(error), permanent=permanent, server_away=not personal, detail=detail) from None


def _is_about_us(refusal: Exception) -> bool:
    """Whether it is us whom the server does not let write to a recipient ("relay access denied", RFC 3463 class
    5.7): a setting here or there, which somebody will put right."""
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
