"""Chooses the sender of mails from the settings."""

from email.headerregistry import Address

from latchkey.clock import Clock
from latchkey.mail.console import Console
from latchkey.mail.sending import Sender
from latchkey.mail.settings import MailSettings, parse_mail_from
from latchkey.mail.smtp import SmtpSender

DEVELOPMENT_FROM = "Latchkey <latchkey@localhost>"


def mail_sender(settings: MailSettings, clock: Clock, *, prints: bool) -> Sender | None:
    """Returns the SMTP sender if SMTP_URL is set, else the console if `prints`, else None: no mail is sent."""
    server = settings.smtp_server()
    if server is not None:
        return SmtpSender(server, mail_from(settings), clock)
    return Console() if prints else None


def mail_from(settings: MailSettings) -> Address:
    """Returns the address that mails come from."""
    return parse_mail_from(settings.mail_from or DEVELOPMENT_FROM)
