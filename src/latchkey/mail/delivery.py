"""Which way mails go, by the settings."""

from email.headerregistry import Address

from latchkey.clock import Clock
from latchkey.mail.console import Console
from latchkey.mail.sending import Sender
from latchkey.mail.smtp import SmtpSender
from latchkey.mail_settings import parse_mail_from
from latchkey.settings import Settings

DEVELOPMENT_FROM = "Latchkey <latchkey@localhost>"


def mail_sender(settings: Settings, clock: Clock, *, prints: bool) -> Sender | None:
    """SMTP where there is a server, else, if mails may be printed, the console; None: nobody gets a mail."""
    server = settings.smtp_server()
    if server is not None:
        return SmtpSender(server, mail_from(settings), clock)
    return Console() if prints else None


def mail_from(settings: Settings) -> Address:
    """The address that mails come from."""
    return parse_mail_from(settings.mail_from or DEVELOPMENT_FROM)
