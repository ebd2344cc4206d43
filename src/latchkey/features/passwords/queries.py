"""SQL of passwords and of the tokens that set one."""

from latchkey.database.pool import Connection, Queryable
from latchkey.users.queries import user_of
from latchkey.users.user import User


async def replace_password(connection: Connection, user_id: int, old_hash: str, new_hash: str) -> User | None:
    """Sets a new password if the old one still stands, and ends a reset token: the user, or None if it does not."""
    row = await connection.fetchrow(
        "UPDATE users SET password = $3, password_migrated = false,"
        " credential_generation = credential_generation + 1, reset_token = NULL, reset_token_expires = NULL"
        " WHERE id = $1 AND password = $2 AND NOT is_deleted RETURNING id, name, email",
        user_id,
        old_hash,
        new_hash,
    )
    return user_of(row) if row else None


async def lock_by_email(connection: Connection, email: str) -> User | None:
    """The user with that address (lower case) who is not deleted, locked for the rest of the transaction."""
    row = await connection.fetchrow(
        "SELECT id, name, email FROM users WHERE lower(email) = $1 AND NOT is_deleted FOR NO KEY UPDATE", email
    )
    return user_of(row) if row else None


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
    return user_of(row) if row else None


async def find_by_reset_token(database: Queryable, token_hash: str) -> User | None:
    """Whose reset token it is, if it could be spent now."""
    row = await database.fetchrow(
        "SELECT id, name, email FROM users WHERE reset_token = $1 AND reset_token_expires > now() AND NOT is_deleted",
        token_hash,
    )
    return user_of(row) if row else None


async def renew_reset_token(connection: Connection, token_hash: str, minutes: int) -> User | None:
    """Has a reset token, which is neither spent nor ended by a newer one, expire later; None if there is none."""
    row = await connection.fetchrow(
        "UPDATE users SET reset_token_expires = now() + make_interval(mins => $2)"
        " WHERE reset_token = $1 AND NOT is_deleted RETURNING id, name, email",
        token_hash,
        minutes,
    )
    return user_of(row) if row else None


async def spend_reset_token(connection: Connection, token_hash: str, password_hash: str) -> User | None:
    """Sets the password of whoever the token is for and ends the token: the user, or None if it is spent."""
    row = await connection.fetchrow(
        "UPDATE users SET password = $2, password_migrated = false,"
        " credential_generation = credential_generation + 1, reset_token = NULL, reset_token_expires = NULL,"
        " email_verified_at = CASE WHEN reset_token_mailed THEN coalesce(email_verified_at, now())"
        "   ELSE email_verified_at END"
        " WHERE reset_token = $1 AND reset_token_expires > now() AND NOT is_deleted RETURNING id, name, email",
        token_hash,
        password_hash,
    )
    return user_of(row) if row else None
