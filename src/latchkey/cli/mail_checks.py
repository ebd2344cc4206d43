"""Checks that mail can be sent: the templates, the SMTP server and the outbox. They send no mail."""

import asyncio

from latchkey.app import MAIL_KINDS, Settings
from latchkey.database.pool import Queryable
from latchkey.mail.delivery import mail_from
from latchkey.mail.queries import dead_letters
from latchkey.mail.settings import SmtpServer
from latchkey.mail.smtp import describe_error, open_connection, quit_and_close, tls_context
from latchkey.mail.templates import Templates, TemplatesUnusable
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.urls import is_loopback

SMTP_SECONDS = 5.0


def templates(settings: Settings) -> Finding:
    """Checks that every mail's templates are usable."""
    name = "MAIL_TEMPLATES"
    try:
        Templates(MAIL_KINDS, settings.mail_templates, base_url=settings.base_url())
    except TemplatesUnusable as error:
        return problem(name, "; ".join(error.problems), "correct the files; docs/mail.md lists the variables")
    return ok(
        name,
        "the built-in templates are used"
        if settings.mail_templates is None
        else f"{settings.mail_templates} can be used",
    )


async def check_smtp(settings: Settings) -> list[Finding]:
    """Checks that the SMTP server accepts a connection, encryption and the sign-in.

    Returns nothing without SMTP_URL.
    """
    server = settings.smtp_server()
    if server is None:
        return []
    findings = [_encryption(server)]
    try:
        async with asyncio.timeout(SMTP_SECONDS):
            client = await open_connection(server, tls_context(server), mail_from(settings).domain)
            await client.ehlo()
            await quit_and_close(client)
    except Exception as error:  # noqa: BLE001 - whatever a foreign server makes of it
        advice = "check that the server runs, and SMTP_URL. Until then mails wait in the outbox"
        return [*findings, problem("SMTP", f"{server}: {describe_error(error)}", advice)]
    return [*findings, ok("SMTP", f"{server} accepts mails")]


async def check_dead_letters(database: Queryable) -> Finding:
    """Checks for mails that were given up. The schema must be current."""
    count = await dead_letters(database)
    if not count:
        return ok("outbox", "no mail was given up")
    return warning(
        "outbox",
        f"{count} {'mail was' if count == 1 else 'mails were'} given up",
        "see the cause with: latchkey mail list --state failed; then run: latchkey mail retry --all",
    )


def _encryption(server: SmtpServer) -> Finding:
    name = "SMTP TLS"
    if server.encryption != "none":
        return ok(name, "encrypted, and the server is verified")
    if is_loopback(server.host):
        return ok(name, "not needed: the server is on this machine")
    return warning(
        name,
        "mails, with their links, travel in plain text" + (", and so does the password" if server.user else ""),
        "use smtp+starttls:// or smtps://",
    )
