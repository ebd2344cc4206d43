"""The worker that empties the outbox: it claims a mail, composes it, sends it and records the result (ADR 7).

Claiming and composing share one short transaction; recording is another. Sending happens between them, in none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.mail import queries
from latchkey.mail.message import Letter, Mail
from latchkey.mail.outbox import Entry, Outbox, claim
from latchkey.mail.sending import NotSent, Sender
from latchkey.mail.templates import Templates
from latchkey.mail.tokens import MailTokens

LOOK_EVERY_SECONDS = 5.0
NOTE_AGAIN_SECONDS = 1.0
SEND_SECONDS = 30.0
"""The limit of one attempt, in seconds."""
LEASE_SECONDS = 60.0
"""How long other workers leave a claimed mail alone. Longer than an attempt, so no two workers send it at once."""
PAUSES_SECONDS = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 10800.0)
"""Seconds between attempts. After the last one the mail is a dead letter."""
ATTEMPTS = len(PAUSES_SECONDS) + 1

log = structlog.get_logger(__name__)

Compose = Callable[[Change, Entry], Awaitable[Letter | None]]


@dataclass(frozen=True, slots=True)
class _Claimed:
    """An entry, and its letter if it is to be sent."""

    entry: Entry
    letter: Letter | None


class MailWorker:
    """Composes and sends the mails in the outbox, one after the other.

    `composers`, by kind, make a letter of an entry in the transaction that claims it; None means no mail. Entries of
    other kinds, from a newer version, are left alone. If `sender` is None, nothing is composed or sent, and no token is
    made. `host` follows the @ of Message-IDs.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        audit: AuditLog,
        composers: Mapping[str, Compose],
        tokens: MailTokens,
        templates: Templates,
        sender: Sender | None,
        *,
        host: str,
    ) -> None:
        """Raises ValueError for a mail of `templates` that has no composer. It would wait in the outbox forever."""
        if missing := templates.names - composers.keys():
            raise ValueError(f"no feature contributes a composer for the mail {', '.join(sorted(missing))}")
        self._database = database
        self._outbox = outbox
        self._audit = audit
        self._composers = composers
        self._tokens = tokens
        self._templates = templates
        self._sender = sender
        self._host = host
        self._stopping = False

    async def run(self) -> None:
        """Sends mails until `stop`, then what is still due. Waits while the database is unavailable."""
        while True:
            last_round = self._stopping
            try:
                await self._empty()
            except DatabaseUnavailable as error:
                log.warning("the outbox is waiting for the database", cause=str(error))
            except Exception as error:  # a fault of ours must not end all mail
                log.error("the outbox failed", exc_info=error)
            if last_round:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._outbox.waiting.wait()
            self._outbox.waiting.clear()

    def stop(self) -> None:
        """Makes `run` finish."""
        self._stopping = True
        self._outbox.waiting.set()

    async def _empty(self) -> None:
        try:
            while (claimed := await self._claim()) is not None:
                if claimed.letter is not None and not await self._deliver(claimed.entry, claimed.letter):
                    break
        finally:
            if self._sender is not None:
                await self._sender.close()

    async def _claim(self) -> _Claimed | None:
        entry: Entry | None = None

        async def claim_and_compose(change: Change) -> _Claimed | None:
            nonlocal entry
            entry = await claim(change, list(self._composers), self._tokens, lease_seconds=LEASE_SECONDS)
            return None if entry is None else _Claimed(entry, await self._compose(change, entry))

        try:
            return await self._audit.change(claim_and_compose)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if entry is None:
                raise
            # The rollback also undoes the claim. Without a pause this mail would be claimed again at once.
            log.error("a mail could not be composed", kind=entry.kind, mail=entry.id, exc_info=error)
            await self._record_failure(entry, NotSent(f"could not be composed: {type(error).__name__}"), claimed=False)
            return _Claimed(entry, None)

    async def _compose(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the letter of a claimed entry. None: this transaction has settled the entry."""
        if self._sender is None:
            log.warning("a mail was discarded: SMTP_URL is not set", kind=entry.kind, mail=entry.id)
            await queries.remove(change.connection, entry.id)
            return None
        if entry.attempts > ATTEMPTS:
            await queries.give_up(change.connection, entry.id, "the process ended during the last attempt")
            return None
        letter = await self._composers[entry.kind](change, entry)
        if letter is None:
            await queries.remove(change.connection, entry.id)
            return None
        await queries.keep_composed(change.connection, entry.id, letter.user_id, carries_token=letter.carries_token)
        return letter

    async def _deliver(self, entry: Entry, letter: Letter) -> bool:
        """Sends a letter and records the result. False if no other mail can be sent now either."""
        assert self._sender is not None, "without a sender nothing is composed"
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._sender.send(self._render(entry, letter))
        except NotSent as error:
            await self._record_failure(entry, error)
            return not error.server_away
        except TimeoutError:
            await self._record_failure(entry, NotSent(f"took longer than {SEND_SECONDS:.0f} s"))
            return False
        except Exception as error:
            log.error("a mail could not be made", kind=entry.kind, mail=entry.id, exc_info=error)
            await self._record_failure(entry, NotSent(f"could not be made: {type(error).__name__}"))
            return True
        await self._record(lambda: queries.mark_sent(self._database, entry.id))
        log.info("a mail was sent", kind=entry.kind, mail=entry.id, attempt=entry.attempts)
        return True

    def _render(self, entry: Entry, letter: Letter) -> Mail:
        rendered = self._templates.render(entry.kind, letter.context)
        return Mail(f"{entry.unique}@{self._host}", letter.to, rendered.subject, rendered.text, rendered.html)

    async def _record_failure(self, entry: Entry, error: NotSent, *, claimed: bool = True) -> None:
        last = error.permanent or entry.attempts >= ATTEMPTS
        pause = None if last else PAUSES_SECONDS[entry.attempts - 1]
        found = entry.attempts if claimed else entry.attempts - 1
        reason = f"{error}: {error.detail}" if error.detail else str(error)
        await self._record(
            lambda: queries.mark_failed(
                self._database, entry.id, found=found, attempts=entry.attempts, error=reason, again_in=pause
            )
        )
        line = "a mail was given up" if last else "a mail was not sent"
        log.warning(line, kind=entry.kind, mail=entry.id, attempt=entry.attempts, reason=str(error))

    async def _record(self, note: Callable[[], Awaitable[None]]) -> None:
        """Runs `note`, and waits while the database is unavailable: a sent mail without a record would be sent
        again."""
        while True:
            try:
                return await note()
            except DatabaseUnavailable as error:
                log.warning("the outbox is waiting for the database", cause=str(error))
                await asyncio.sleep(NOTE_AGAIN_SECONDS)
