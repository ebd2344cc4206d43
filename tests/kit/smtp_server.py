"""A real SMTP server in a thread, which keeps its mails and answers as the test says."""

import asyncio
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.kit.ports import free_port
from tests.kit.waiting import SECONDS

USER, PASSWORD = "latchkey@mail.test", "p@ss/w:rd%é"


@dataclass
class Received:
    """A received mail: its envelope and its content. The server may still have refused it."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    encrypted: bool

    @property
    def id(self) -> str:
        """Returns the Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """Returns the plain text."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """Returns the HTML."""
        return self._part("html")

    @property
    def token(self) -> str:
        """Returns the token of the link in the text."""
        return self.text.partition("#token=")[2].split()[0]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, kind
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


@dataclass
class SmtpServer:
    """A server on 127.0.0.1. `rcpt` and `data` replace the answer `250`, and are read for every mail.

    `hang`: it takes the whole mail and never answers. `tls`: with `implicit_tls` from the first byte, otherwise by
    STARTTLS, which is then required. It can be stopped and restarted on the same port.
    """

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    login: bool = False
    rcpt: str = "250 OK"
    data: str = "250 OK"
    hang: bool = False
    port: int = field(default_factory=free_port)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._arrived = threading.Condition()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Starts to listen."""
        server = self

        class Server(SMTP):
            def connection_made(self, transport: Any) -> None:
                # STARTTLS calls this again for the same connection.
                server.connections += self.session is None
                super().connection_made(transport)

        class OwnController(Controller):
            def factory(self) -> SMTP:
                return Server(self.handler, **self.SMTP_kwargs)

        options: dict[str, Any] = {"enable_SMTPUTF8": False}
        if self.login:
            options |= {"authenticator": self._authenticate, "auth_required": True}
            options |= {"auth_require_tls": self.tls is not None and not self.implicit_tls}
        if self.tls is not None and not self.implicit_tls:
            options |= {"tls_context": self.tls, "require_starttls": True}
        self._controller = OwnController(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=self.tls if self.implicit_tls else None,
            **options,
        )
        self._controller.start()

    def stop(self) -> None:
        """Stops listening."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def wait_for(self, count: int, *, within: float = SECONDS) -> list[Received]:
        """Waits for that number of mails and returns them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, within), len(self.received)
            return list(self.received)

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == (USER, PASSWORD), handled=False)

    async def handle_RCPT(  # noqa: N802 the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, smtp: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 the library's name
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=POLICY)
        assert isinstance(message, EmailMessage)
        if self.data.startswith("250"):
            assert smtp.transport is not None
            encrypted = smtp.transport.get_extra_info("ssl_object") is not None
            mail = Received(str(envelope.mail_from), envelope.rcpt_tos, message, encrypted)
            with self._arrived:
                self.received.append(mail)
                self._arrived.notify_all()
        if self.hang:
            await asyncio.Event().wait()
        return self.data


def settings_of(server: SmtpServer, scheme: str = "smtp", login: str = "", host: str = "127.0.0.1") -> dict[str, str]:
    """Returns the settings of a production Latchkey that sends its mails to that server."""
    return {
        "ENVIRONMENT": "production",
        "PUBLIC_URL": "https://accounts.example.com",
        "SMTP_URL": f"{scheme}://{login}{host}:{server.port}",
        "MAIL_FROM": "Accounts <accounts@example.com>",
    }
