"""SQL of the mail outbox. It uses the database's clock alone, so instances with different clocks agree."""

import asyncpg

from latchkey.database.pool import Connection, Database, Queryable


def insertion(kind: str, recipient: str, metadata: str, user_id: int | None) -> tuple[str, str, str, str, int | None]:
    """Returns the statement that queues a mail, and its arguments. `metadata` is JSON."""
    statement = "INSERT INTO mail_outbox (kind, recipient, metadata, user_id) VALUES ($1, $2, $3, $4)"
    return statement, kind, recipient, metadata, user_id


async def claim(connection: Connection, kinds: list[str], lease_seconds: float) -> asyncpg.Record | None:
    """Claims the row of these kinds that has been due longest and counts the attempt. None: no row is due.

    The claim lasts until the transaction ends, then until the lease ends.
    """
    return await connection.fetchrow(
        "UPDATE mail_outbox SET attempts = attempts + 1,"
        " next_attempt_at = clock_timestamp() + make_interval(secs => $2)"
        " WHERE id = (SELECT id FROM mail_outbox WHERE sent_at IS NULL AND failed_at IS NULL"
        "   AND next_attempt_at <= statement_timestamp() AND kind = ANY($1::text[])"
        "   ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING id, kind, recipient, metadata, user_id, nonce, token_made_at IS NOT NULL AS token_made,"
        " attempts, created_at",
        kinds,
        lease_seconds,
    )


async def keep_composed(connection: Connection, mail_id: int, user_id: int | None, *, carries_token: bool) -> None:
    """Stores the account that a claimed mail is about, and when its token was first made."""
    await connection.execute(
        "UPDATE mail_outbox SET user_id = coalesce($2, user_id),"
        " token_made_at = CASE WHEN $3 THEN coalesce(token_made_at, clock_timestamp()) ELSE token_made_at END"
        " WHERE id = $1",
        mail_id,
        user_id,
        carries_token,
    )


async def remove(connection: Connection, mail_id: int) -> None:
    """Removes a mail that is not to be sent."""
    await connection.execute("DELETE FROM mail_outbox WHERE id = $1", mail_id)


async def give_up(connection: Connection, mail_id: int, error: str) -> None:
    """Makes a claimed mail a dead letter. An earlier error is kept.

    The attempt that claimed it does not count, because nothing was sent.
    """
    await connection.execute(
        "UPDATE mail_outbox SET failed_at = now(), attempts = attempts - 1, last_error = coalesce(last_error, $2)"
        " WHERE id = $1",
        mail_id,
        error,
    )


async def mark_sent(database: Database, mail_id: int) -> None:
    """Marks a mail as sent. Idempotent."""
    await database.write("UPDATE mail_outbox SET sent_at = now(), last_error = NULL WHERE id = $1", mail_id)


async def mark_failed(
    database: Database, mail_id: int, *, found: int, attempts: int, error: str, again_in: float | None
) -> None:
    """Records a failed attempt. `again_in` is the seconds to the next one; None makes the mail a dead letter.

    `found` is the number of attempts that the row must still show. With another number, another worker has the mail.
    """
    await database.write(
        "UPDATE mail_outbox SET attempts = $3, last_error = $4,"
        " next_attempt_at = clock_timestamp() + make_interval(secs => coalesce($5, 0)),"
        " failed_at = CASE WHEN $5::float8 IS NULL THEN now() END"
        " WHERE id = $1 AND attempts = $2 AND sent_at IS NULL",
        mail_id,
        found,
        attempts,
        error,
        again_in,
    )


async def lock_recipient(connection: Connection, kind: str, recipient: str) -> None:
    """Makes transactions that count and add mails of a kind to a recipient run one after the other."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || lower($2), 0))", kind, recipient
    )


async def tokens_made(connection: Connection, kind: str, user_id: int, recipient: str, seconds: float) -> int:
    """Counts the mails of a kind that got a token in the last `seconds`: to this user or this recipient, the larger
    number."""
    count: int = await connection.fetchval(
        "SELECT greatest("
        "  (SELECT count(*) FROM mail_outbox WHERE user_id = $1 AND kind = $2"
        "   AND token_made_at > now() - make_interval(secs => $4)),"
        "  (SELECT count(*) FROM mail_outbox WHERE lower(recipient) = lower($3) AND kind = $2"
        "   AND token_made_at > now() - make_interval(secs => $4)))",
        user_id,
        kind,
        recipient,
        seconds,
    )
    return count


async def notices_made(
    connection: Connection, kind: str, about: str, user_id: int, recipient: str, seconds: float
) -> int:
    """Counts the mails of a kind stored in the last `seconds`: about this user or to this recipient, the larger number.

    `about`: counts only mails whose details say so; empty: all.
    """
    count: int = await connection.fetchval(
        "SELECT greatest("
        "  (SELECT count(*) FROM mail_outbox WHERE user_id = $1 AND kind = $2"
        "   AND created_at > now() - make_interval(secs => $4)"
        "   AND $5 IN ('', metadata->'details'->>'about')),"
        "  (SELECT count(*) FROM mail_outbox WHERE lower(recipient) = lower($3) AND kind = $2"
        "   AND created_at > now() - make_interval(secs => $4)"
        "   AND $5 IN ('', metadata->'details'->>'about')))",
        user_id,
        kind,
        recipient,
        seconds,
        about,
    )
    return count


async def dead_letters(database: Queryable) -> int:
    """Counts the mails that were given up."""
    count: int = await database.fetchval("SELECT count(*) FROM mail_outbox WHERE failed_at IS NOT NULL")
    return count
