"""The outbox: mails to be sent, in a table, so that they survive a restart and nobody waits for them."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from latchkey.audit.record import Change
from latchkey.database.pool import Database
from latchkey.mail import queries
from latchkey.mail.kinds import MORE_NOTICES
from latchkey.mail.tokens import MailTokens
from latchkey.origin import Origin

MAILS_AN_HOUR = 5
"""Of one kind, about one account, and to one recipient: whoever causes more fills somebody else's mailbox."""
HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A mail to be: what kind, to which address, and the request that asked for it, at `created_at`.

    `details` are what the request left for the composer. `token` is for a link, the same in every attempt; with
    `token_made` an earlier attempt has stored its hash, and it must not be stored anew: it may have been spent.
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
    token: str = field(repr=False)


class Outbox:
    """Takes mails in. `waiting` wakes this process' worker; others find the row when they look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.waiting = asyncio.Event()

    async def put(self, kind: str, recipient: str, origin: Origin) -> None:
        """Stores a mail to be, committed when this returns. Whose account it is about is found when it is made."""
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
        """Stores a mail to be in the transaction of `change`: it is sent if that commits. `details` are not secret:
        they stand in the row."""
        await change.connection.execute(*queries.insertion(kind, recipient, _metadata(origin, details), user_id))
        change.on_commit(self.waiting.set)

    async def may_send_link(self, change: Change, kind: str, user_id: int, recipient: str) -> bool:
        """Whether another link of that kind may go to that recipient now, for a user whose row `change` has locked."""
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
        """Stores a notice as `add` does, as long as there were few of its kind within the hour; instead of the first
        that is too much, one mail that says so, and then nothing."""
        await queries.lock_recipient(change.connection, kind, recipient)
        connection = change.connection
        if await queries.notices_made(connection, kind, "", user_id, recipient, HOUR_SECONDS) < MAILS_AN_HOUR:
            await self.add(change, kind, recipient, origin, user_id=user_id, details=details)
        elif not await queries.notices_made(connection, MORE_NOTICES.name, kind, user_id, recipient, HOUR_SECONDS):
            await self.add(change, MORE_NOTICES.name, recipient, origin, user_id=user_id, details={"about": kind})


async def claim(change: Change, kinds: list[str], tokens: MailTokens, *, lease_seconds: float) -> Entry | None:
    """The entry of these kinds that has been due longest, for one attempt; None: nothing is due.

    Others leave it alone for the lease, counted from now.
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
        # For the Message-ID, which everybody sees; the nonce itself stays here.
        unique=f"{row['id']}.{hashlib.sha256(b'message-id' + row['nonce']).hexdigest()[:32]}",
        token=tokens.derive(row["nonce"]),
    )


def _metadata(origin: Origin, details: dict[str, str] | None) -> str:
    known: dict[str, object] = {"ip": origin.ip, "userAgent": origin.user_agent, "requestId": origin.request_id}
    return json.dumps(known | ({"details": details} if details else {}))
