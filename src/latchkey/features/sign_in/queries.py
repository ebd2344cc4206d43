"""SQL of sign-in."""

from dataclasses import dataclass

import asyncpg

from latchkey.database.pool import Connection, Queryable
from latchkey.users.queries import user_of
from latchkey.users.user import User


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against. `migrated`: the hash is node-api-postgres's, which compared only 72 bytes.
    `email_verified`: the address is verified. `generation` grows with each new password."""

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
    """Credentials of the user with that address (lower case) who is not deleted."""
    return _credentials(
        await database.fetchrow(
            f"SELECT {_CREDENTIALS} FROM users WHERE lower(email) = $1 AND NOT is_deleted",  # noqa: S608 constant
            email,
        )
    )


async def credentials_by_id(database: Queryable, user_id: int) -> Credentials | None:
    """Credentials of a user who is not deleted."""
    return _credentials(
        await database.fetchrow(
            f"SELECT {_CREDENTIALS} FROM users WHERE id = $1 AND NOT is_deleted",  # noqa: S608 constant
            user_id,
        )
    )


async def keeps_password(connection: Connection, user_id: int, password_hash: str, *, alone: bool) -> bool:
    """Whether the user is not deleted and still has that very hash; holds it so until the transaction ends. `alone`:
    and nobody else gets to hold it meanwhile."""
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM users WHERE id = $1 AND password = $2 AND NOT is_deleted"  # noqa: S608 constants
            f" FOR {'NO KEY UPDATE' if alone else 'SHARE'}",
            user_id,
            password_hash,
        )
    )


async def is_older_than_a_day(connection: Connection, user_id: int) -> bool:
    """Whether the account was made more than a day ago."""
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM users WHERE id = $1 AND coalesce(created_at, '-infinity') < now() - interval '1 day'",
            user_id,
        )
    )


async def renew_hash(connection: Connection, user_id: int, old_hash: str, new_hash: str) -> bool:
    """Replaces the hash of an unchanged password; False if the password has been changed meanwhile."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET password = $3 WHERE id = $1 AND password = $2 AND NOT is_deleted RETURNING 1",
            user_id,
            old_hash,
            new_hash,
        )
    )
