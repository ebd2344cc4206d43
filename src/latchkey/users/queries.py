"""SQL of users: one function a statement, typed rows out."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from latchkey.database.pool import Connection, Queryable
from latchkey.users.schemas import User


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against. `migrated`: the hash is the original's, which compared only 72 bytes;
    `verified`: the address is proved."""

    user: User
    password_hash: str
    migrated: bool
    verified: bool


_CREDENTIALS = "id, name, email, password, password_migrated, email_verified_at IS NOT NULL AS verified"


def _user(row: asyncpg.Record) -> User:
    return User(id=row["id"], name=row["name"], email=row["email"])


def _credentials(row: asyncpg.Record | None) -> Credentials | None:
    return Credentials(_user(row), row["password"], row["password_migrated"], row["verified"]) if row else None


async def find_many(database: Queryable, user_ids: list[int]) -> dict[int, User]:
    """Those of the users who are there and not deleted, by id."""
    rows = await database.fetch("SELECT id, name, email FROM users WHERE id = ANY($1) AND NOT is_deleted", user_ids)
    return {row["id"]: _user(row) for row in rows}


async def page(database: Queryable, *, limit: int, offset: int) -> tuple[list[User], int]:
    """A page of users, newest id first, and how many there are in all: one statement, hence one snapshot."""
    rows = await database.fetch(
        "SELECT counted.total, listed.id, listed.name, listed.email"
        " FROM (SELECT sum(live)::bigint AS total FROM user_counts) AS counted"
        " LEFT JOIN LATERAL (SELECT id, name, email FROM users WHERE NOT is_deleted"
        "   ORDER BY id DESC LIMIT $1 OFFSET $2) AS listed ON true"
        " ORDER BY listed.id DESC",
        limit,
        offset,
    )
    return [_user(row) for row in rows if row["id"] is not None], rows[0]["total"]


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


async def insert(connection: Connection, name: str, email: str, password_hash: str) -> User:
    """Makes a user. Raises asyncpg.UniqueViolationError when a live user has that address."""
    row = await connection.fetchrow(
        "INSERT INTO users (name, email, password) VALUES ($1, $2, $3) RETURNING id, name, email",
        name,
        email,
        password_hash,
    )
    assert row is not None, "INSERT … RETURNING returns its row"
    return _user(row)


async def lock(connection: Connection, user_id: int) -> User | None:
    """A user who is not deleted, locked for the rest of the transaction."""
    row = await connection.fetchrow(
        "SELECT id, name, email FROM users WHERE id = $1 AND NOT is_deleted FOR NO KEY UPDATE", user_id
    )
    return _user(row) if row else None


async def update(connection: Connection, user_id: int, name: str, email: str, *, email_changed: bool) -> User:
    """Sets name and address of a locked user; a changed address is not proved, and ends a reset token that went to
    the old one.

    Raises asyncpg.UniqueViolationError when a live user has that address.
    """
    row = await connection.fetchrow(
        "UPDATE users SET name = $2, email = $3,"
        " reset_token = CASE WHEN $4 THEN NULL ELSE reset_token END,"
        " reset_token_expires = CASE WHEN $4 THEN NULL ELSE reset_token_expires END,"
        " email_verified_at = CASE WHEN $4 THEN NULL ELSE email_verified_at END"
        " WHERE id = $1 RETURNING id, name, email",
        user_id,
        name,
        email,
        email_changed,
    )
    assert row is not None, "the row is locked by this transaction"
    return _user(row)


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


async def replace_password(connection: Connection, user_id: int, old_hash: str, new_hash: str) -> User | None:
    """Sets a new password if the old one still stands, and ends a reset token: the user, or None if it does not."""
    row = await connection.fetchrow(
        "UPDATE users SET password = $3, password_migrated = false, reset_token = NULL, reset_token_expires = NULL"
        " WHERE id = $1 AND password = $2 AND NOT is_deleted RETURNING id, name, email",
        user_id,
        old_hash,
        new_hash,
    )
    return _user(row) if row else None


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


async def lock_by_email(connection: Connection, email: str) -> User | None:
    """The user with that address (lower case) who is not deleted, locked for the rest of the transaction."""
    row = await connection.fetchrow(
        "SELECT id, name, email FROM users WHERE lower(email) = $1 AND NOT is_deleted FOR NO KEY UPDATE", email
    )
    return _user(row) if row else None


async def set_reset_token(
    connection: Connection, email: str, token_hash: str, minutes: int, *, mailed: bool
) -> User | None:
    """Gives the user with that address (lower case) a reset token, which ends an earlier one; None if there is none.

    It expires by the database's clock. `mailed` to that address, it proves the address when it is spent.
    """
    row = await connection.fetchrow(
        "UPDATE users SET reset_token = $2, reset_token_expires = now() + make_interval(mins => $3),"
        " reset_token_mailed = $4"
        " WHERE lower(email) = $1 AND NOT is_deleted RETURNING id, name, email",
        email,
        token_hash,
        minutes,
        mailed,
    )
    return _user(row) if row else None


async def find_by_reset_token(database: Queryable, token_hash: str) -> User | None:
    """Whose reset token it is, if it could be spent now."""
    row = await database.fetchrow(
        "SELECT id, name, email FROM users WHERE reset_token = $1 AND reset_token_expires > now() AND NOT is_deleted",
        token_hash,
    )
    return _user(row) if row else None


async def renew_reset_token(connection: Connection, token_hash: str, minutes: int) -> User | None:
    """Has a reset token, which is neither spent nor ended by a newer one, expire later; None if there is none."""
    row = await connection.fetchrow(
        "UPDATE users SET reset_token_expires = now() + make_interval(mins => $2)"
        " WHERE reset_token = $1 AND NOT is_deleted RETURNING id, name, email",
        token_hash,
        minutes,
    )
    return _user(row) if row else None


async def spend_reset_token(connection: Connection, token_hash: str, password_hash: str) -> User | None:
    """Sets the password of whoever the token is for and ends the token: the user, or None if it is spent."""
    row = await connection.fetchrow(
        "UPDATE users SET password = $2, password_migrated = false, reset_token = NULL, reset_token_expires = NULL,"
        " email_verified_at = CASE WHEN reset_token_mailed THEN coalesce(email_verified_at, now())"
        "   ELSE email_verified_at END"
        " WHERE reset_token = $1 AND reset_token_expires > now() AND NOT is_deleted RETURNING id, name, email",
        token_hash,
        password_hash,
    )
    return _user(row) if row else None


async def delete(connection: Connection, user_id: int, session_id: UUID | None) -> User | None:
    """Marks a user as deleted, by that session (None: by an operator); None if there is no such live user."""
    row = await connection.fetchrow(
        "UPDATE users SET is_deleted = true, deleted_at = now(), deleted_by_session = $2,"
        " reset_token = NULL, reset_token_expires = NULL"
        " WHERE id = $1 AND NOT is_deleted RETURNING id, name, email",
        user_id,
        session_id,
    )
    return _user(row) if row else None


async def restore(connection: Connection, user_id: int, session_id: UUID | None) -> User | None:
    """Undoes a deletion, if that session did it (None: whoever did it); None if there is nothing to undo.

    Raises asyncpg.UniqueViolationError when a live user has the address by now.
    """
    row = await connection.fetchrow(
        "UPDATE users SET is_deleted = false, deleted_at = NULL, deleted_by_session = NULL"
        " WHERE id = $1 AND is_deleted AND ($2::uuid IS NULL OR deleted_by_session = $2) RETURNING id, name, email",
        user_id,
        session_id,
    )
    return _user(row) if row else None
