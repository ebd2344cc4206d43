"""SQL of the mail outbox for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from latchkey.database.pool import Database, Queryable

State = Literal["waiting", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A mail in the outbox. `failed`: it was given up. Only a waiting mail has `next_attempt_at`. Times are UTC."""

    id: int
    kind: str
    recipient: str
    state: State
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    last_error: str | None


_MAILS = (
    "SELECT * FROM (SELECT id, kind, recipient,"
    " CASE WHEN sent_at IS NOT NULL THEN 'sent' WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END AS state,"
    " attempts, created_at,"
    " CASE WHEN sent_at IS NULL AND failed_at IS NULL THEN next_attempt_at END AS next_attempt_at, last_error"
    " FROM mail_outbox) AS mails"
)


async def newest(database: Queryable, *, state: State | None, limit: int) -> list[OutboxRow]:
    """Returns the newest mails first: all, or those in one state."""
    rows = await database.fetch(
        f"{_MAILS} WHERE $1::text IS NULL OR state = $1 ORDER BY id DESC LIMIT $2", state, limit
    )
    return [OutboxRow(**dict(row)) for row in rows]


async def find(database: Queryable, mail_id: int) -> OutboxRow | None:
    """Returns a mail by its id."""
    row = await database.fetchrow(f"{_MAILS} WHERE id = $1", mail_id)
    return OutboxRow(**dict(row)) if row else None


async def retry(database: Database, mail_id: int | None) -> int:
    """Queues a dead letter, or all of them (None), to be sent now. Returns how many."""
    count: int = await database.write(
        "WITH retried AS (UPDATE mail_outbox SET failed_at = NULL, attempts = 0, next_attempt_at = now()"
        "  WHERE failed_at IS NOT NULL AND ($1::bigint IS NULL OR id = $1) RETURNING 1)"
        " SELECT count(*) FROM retried",
        mail_id,
    )
    return count
