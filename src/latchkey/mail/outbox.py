"""The outbox: a table of mails to send. They survive a restart, and no request waits for them."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from latchkey.audit.record import Change
from latchkey.database.pool import Database
from latchkey.mail import queries
from latchkey.mail.kinds import MORE_NOTICES
from latchkey.origin import Origin

if TYPE_CHECKING:
    # Loads cryptography, which commands that only add a mail do without.
    from latchkey.mail.tokens import MailTokens

MAILS_AN_HOUR = 5
"""The limit of mails of one kind about one account and to one recipient: it keeps strangers from filling a mailbox."""
HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail to send: its kind, its recipient, and the request that asked for it at `created_at`.

    `details` are the variables that the request left for the composer. `tokens` may go into a link and are the same in
    every attempt: one for each secret, the current one first. A new link has the first. `token_made`: an earlier
    attempt stored the hash of one, and if it is still stored, that one is sent. It must not be stored again, because
    the token may be spent.
    """

    id: int
    kind: str
    recipient: str
    origin: Origin
    created_at: datetime
    user_id: int | None
    details: dict[str, str]
    attempts: int
    token_made: bool
    unique: str
    tokens: tuple[str, ...] = field(repr=False)


class Outbox:
    """Queues mails. `waiting` wakes the worker of this process; other workers find the row when they poll."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.waiting = asyncio.Event()

    async def put(self, kind: str, recipient: str, origin: Origin) -> None:
        """Queues a mail in its own transaction. The composer finds the account later."""
        await self._database.write(*queries.insertion(kind, recipient, _metadata(origin, None), None))
        self.waiting.set()

    async def add(
        self,
        change: Change,
        kind: str,
        recipient: str,
        origin: Origin,
        *,
        user_id: int | None = None,
        details: dict[str, str] | None = None,
    ) -> None:
        """Queues a mail in the transaction of `change`: it is sent if that commits.

        `details` must not be secret: the row holds them.
        """
        await change.connection.execute(*queries.insertion(kind, recipient, _metadata(origin, details), user_id))
        change.on_commit(self.waiting.set)

    async def may_send_link(self, change: Change, kind: str, user_id: int, recipient: str) -> bool:
        """Tells whether that recipient may get another link of that kind now. `change` has locked the user's row."""
        await queries.lock_recipient(change.connection, kind, recipient)
        made = await queries.tokens_made(change.connection, kind, user_id, recipient, HOUR_SECONDS)
        return made < MAILS_AN_HOUR

    async def notify(
        self,
        change: Change,
        kind: str,
        recipient: str,
        origin: Origin,
        *,
        user_id: int,
        details: dict[str, str] | None = None,
    ) -> None:
        """Queues a notice as `add` does, up to a limit of its kind within the hour.

        The first one above the limit becomes one mail that says so. Later ones are dropped.
        """
        await queries.lock_recipient(change.connection, kind, recipient)
        connection = change.connection
        if await queries.notices_made(connection, kind, "", user_id, recipient, HOUR_SECONDS) < MAILS_AN_HOUR:
            await self.add(change, kind, recipient, origin, user_id=user_id, details=details)
        elif not await queries.notices_made(connection, MORE_NOTICES.name, kind, user_id, recipient, HOUR_SECONDS):
            await self.add(change, MORE_NOTICES.name, recipient, origin, user_id=user_id, details={"about": kind})


async def claim(change: Change, kinds: list[str], tokens: "MailTokens", *, lease_seconds: float) -> Entry | None:
    """Claims the entry of these kinds that has been due longest, for one attempt. None: no entry is due.

    Other workers leave it alone until the lease ends, counted from now.
    """
    row = await queries.claim(change.connection, kinds, lease_seconds)
    if row is None:
        return None
    metadata = json.loads(row["metadata"])
    return Entry(
        id=row["id"],
        kind=row["kind"],
        recipient=row["recipient"],
        origin=Origin(metadata.get("ip"), metadata.get("userAgent"), metadata.get("requestId")),
        created_at=row["created_at"],
        user_id=row["user_id"],
        details=metadata.get("details", {}),
        attempts=row["attempts"],
        token_made=row["token_made"],
        # The Message-ID is public, so it holds a hash of the nonce, never the nonce.
        unique=f"{row['id']}.{hashlib.sha256(b'message-id' + row['nonce']).hexdigest()[:32]}",
        tokens=tokens.derive(row["nonce"]),
    )


def _metadata(origin: Origin, details: dict[str, str] | None) -> str:
    known: dict[str, object] = {"ip": origin.ip, "userAgent": origin.user_agent, "requestId": origin.request_id}
    return json.dumps(known | ({"details": details} if details else {}))
