"""The worker that empties the outbox."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import DatabaseUnavailable
from latchkey.mail.message import Mail
from latchkey.mail.outbox import Entry, Outbox

LOOK_EVERY_SECONDS = 5.0
log = structlog.get_logger(__name__)

Compose = Callable[[Change, Entry], Awaitable[Mail | None]]
Send = Callable[[Mail], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Taken:
    mail: Mail | None


class MailWorker:
    """Composes and sends what is in the outbox, each mail in a transaction of its own.

    `composers`, by kind, make a mail of an entry, or None when there is nobody to write to. `send` None: nothing is
    sent and nothing is composed, so that no token is made for a mail that nobody gets.
    """

    def __init__(self, outbox: Outbox, audit: AuditLog, composers: Mapping[str, Compose], send: Send | None) -> None:
        self._outbox = outbox
        self._audit = audit
        self._composers = composers
        self._send = send

    async def run(self) -> None:
        """Works until cancelled. A database that is away is waited for."""
        while True:
            try:
                await self.empty()
            except DatabaseUnavailable as error:
                log.warning("the outbox waits for the database", cause=str(error))
            except Exception as error:  # one mail that cannot be made must not end all mail
                log.error("a mail could not be made or sent", exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._outbox.waiting.wait()
            self._outbox.waiting.clear()

    async def empty(self) -> None:
        """Sends all that is waiting."""
        while (taken := await self._audit.change(self._take)) is not None:
            if taken.mail is not None and self._send is not None:
                await self._send(taken.mail)

    async def _take(self, change: Change) -> _Taken | None:
        entry = await self._outbox.take(change.connection)
        if entry is None:
            return None
        if self._send is None:
            log.warning("a mail was asked for and thrown away: SMTP_URL is not set", kind=entry.kind)
            return _Taken(None)
        return _Taken(await self._composers[entry.kind](change, entry))
