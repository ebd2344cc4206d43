"""SQL of sign-in."""

from dataclasses import dataclass

import asyncpg

from latchkey.database.pool import Connection, Queryable
from latchkey.sessions.standing import STANDING, Standing, standing_of
from latchkey.users.queries import user_of
from latchkey.users.user import User


@dataclass(frozen=True, slots=True)
class Credentials:
    """The stored credentials that a login is compared with.

    `migrated`: node-api-postgres made the hash and compared only 72 bytes. `email_verified`: the address is verified.
    `generation` grows with each new password.
    """

    user: User
    password_hash: str
    migrated: bool
    email_verified: bool
    generation: int


_CREDENTIALS = (
    "id, name, email, password, password_migrated, email_verified_at IS NOT NULL AS email_verified,"
    " credential_generation"
)


def _credentials(row: asyncpg.Record | None) -> Credentials | None:
    if row is None:
        return None
    return Credentials(
        user_of(row), row["password"], row["password_migrated"], row["email_verified"], row["credential_generation"]
    )


async def credentials_by_email(database: Queryable, email: str) -> Credentials | None:
    """Returns the credentials of the live user with that address (lower case)."""
    return _credentials(
        await database.fetchrow(
            f"SELECT {_CREDENTIALS} FROM users WHERE lower(email) = $1 AND NOT is_deleted",  # noqa: S608 constant
            email,
        )
    )


async def credentials_by_id(database: Queryable, user_id: int) -> Credentials | None:
    """Returns the credentials of a live user."""
    return _credentials(
        await database.fetchrow(
            f"SELECT {_CREDENTIALS} FROM users WHERE id = $1 AND NOT is_deleted",  # noqa: S608 constant
            user_id,
        )
    )


async def lock_with_password(
    connection: Connection, user_id: int, password_hash: str, *, exclusively: bool
) -> Standing | None:
    """Locks the row of the live user until the transaction ends, if they still have that password hash; else None.

    `exclusively`: takes the lock that no other login can hold at the same time.
    """
    row = await connection.fetchrow(
        f"SELECT {STANDING} FROM users WHERE id = $1 AND password = $2 AND NOT is_deleted"  # noqa: S608 constants
        f" FOR {'NO KEY UPDATE' if exclusively else 'SHARE'}",
        user_id,
        password_hash,
    )
    return standing_of(row) if row else None


async def is_older_than_a_day(connection: Connection, user_id: int) -> bool:
    """Tells whether the account is more than a day old."""
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM users WHERE id = $1 AND coalesce(created_at, '-infinity') < now() - interval '1 day'",
            user_id,
        )
    )


async def renew_hash(connection: Connection, user_id: int, old_hash: str, new_hash: str) -> bool:
    """Replaces the hash of an unchanged password. False if the password was changed meanwhile."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET password = $3 WHERE id = $1 AND password = $2 AND NOT is_deleted RETURNING 1",
            user_id,
            old_hash,
            new_hash,
        )
    )
