"""SQL of the mail outbox."""

import asyncpg

from latchkey.database.pool import Connection


def insertion(kind: str, recipient: str, metadata: str) -> tuple[str, str, str, str]:
    """The statement that stores a mail to be, with its arguments; `metadata` is JSON."""
    return ("INSERT INTO mail_outbox (kind, recipient, metadata) VALUES ($1, $2, $3)", kind, recipient, metadata)


async def take_oldest(connection: Connection) -> asyncpg.Record | None:
    """Deletes and returns the oldest row that nobody else has locked: kind, recipient, metadata (JSON)."""
    return await connection.fetchrow(
        "DELETE FROM mail_outbox WHERE id ="
        " (SELECT id FROM mail_outbox ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING kind, recipient, metadata"
    )
