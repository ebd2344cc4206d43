"""SQL of users that several features share: one function for each statement, typed rows out."""

import asyncpg

from latchkey.database.pool import Connection
from latchkey.users.user import User


def user_of(row: asyncpg.Record) -> User:
    """Makes a user of a row that has its columns."""
    return User(id=row["id"], name=row["name"], email=row["email"])


async def lock(connection: Connection, user_id: int) -> User | None:
    """Returns a live user, locked until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT id, name, email FROM users WHERE id = $1 AND NOT is_deleted FOR NO KEY UPDATE", user_id
    )
    return user_of(row) if row else None


async def update(connection: Connection, user_id: int, name: str, email: str, *, email_changed: bool) -> User:
    """Sets name and address of a locked user.

    A changed address is not verified, and ends the reset token that was mailed to the old one. Raises
    asyncpg.UniqueViolationError when a live user has that address.
    """
    row = await connection.fetchrow(
        "UPDATE users SET name = $2, email = $3,"
        " reset_token = CASE WHEN $4 THEN NULL ELSE reset_token END,"
        " reset_token_expires = CASE WHEN $4 THEN NULL ELSE reset_token_expires END,"
        " email_verified_at = CASE WHEN $4 THEN NULL ELSE email_verified_at END,"
        " email_since = CASE WHEN $4 THEN now() ELSE email_since END"
        " WHERE id = $1 RETURNING id, name, email",
        user_id,
        name,
        email,
        email_changed,
    )
    assert row is not None, "the row is locked by this transaction"
    return user_of(row)


async def takes_notices(connection: Connection, user_id: int) -> bool:
    """Tells whether a user's address takes notices: it is verified, or has been theirs for a day.

    Any other address may belong to a stranger, who wants no mail.
    """
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM users WHERE id = $1 AND (email_verified_at IS NOT NULL"
            " OR coalesce(email_since, created_at, '-infinity') <= now() - interval '24 hours')",
            user_id,
        )
    )


async def is_taken(connection: Connection, email: str) -> bool:
    """Tells whether a live user has that address (lower case)."""
    return bool(await connection.fetchval("SELECT 1 FROM users WHERE lower(email) = $1 AND NOT is_deleted", email))
