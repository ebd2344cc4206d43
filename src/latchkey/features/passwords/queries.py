"""SQL of passwords and reset tokens."""

from latchkey.database.pool import Connection, Queryable
from latchkey.sessions.standing import STANDING, Standing, standing_of
from latchkey.users.queries import user_of
from latchkey.users.user import User


async def replace_password(
    connection: Connection, user_id: int, old_hash: str, new_hash: str
) -> tuple[User, Standing] | None:
    """Replaces the password if its hash is still `old_hash`, and ends the reset token.

    Returns the user and what their row says about sessions; None if the hash is another.
    """
    row = await connection.fetchrow(
        "UPDATE users SET password = $3, password_migrated = false,"  # noqa: S608 constant
        " credential_generation = credential_generation + 1, reset_token = NULL, reset_token_expires = NULL"
        f" WHERE id = $1 AND password = $2 AND NOT is_deleted RETURNING id, name, email, {STANDING}",
        user_id,
        old_hash,
        new_hash,
    )
    return (user_of(row), standing_of(row)) if row else None


async def lock_by_email(connection: Connection, email: str) -> User | None:
    """Returns the live user with that address (lower case), locked until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT id, name, email FROM users WHERE lower(email) = $1 AND NOT is_deleted FOR NO KEY UPDATE", email
    )
    return user_of(row) if row else None


async def set_reset_token(
    connection: Connection, email: str, token_hash: str, minutes: int, *, mailed: bool
) -> User | None:
    """Sets a reset token for the live user with that address (lower case) and returns the user; None if none has it.

    The token replaces an earlier one and expires by the database's clock. `mailed`: spending it also verifies the
    address.
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
    """Returns the live user with that reset token, if the token is valid now."""
    row = await database.fetchrow(
        "SELECT id, name, email FROM users WHERE reset_token = $1 AND reset_token_expires > now() AND NOT is_deleted",
        token_hash,
    )
    return user_of(row) if row else None


async def renew_reset_token(connection: Connection, token_hashes: list[str], minutes: int) -> tuple[User, str] | None:
    """Extends the life of that one of these reset tokens that is still current, and returns its user and its hash; None
    if it was spent or replaced."""
    row = await connection.fetchrow(
        "UPDATE users SET reset_token_expires = now() + make_interval(mins => $2)"
        " WHERE reset_token = ANY($1::text[]) AND NOT is_deleted RETURNING id, name, email, reset_token",
        token_hashes,
        minutes,
    )
    return (user_of(row), row["reset_token"]) if row else None


async def spend_reset_token(connection: Connection, token_hash: str, password_hash: str) -> User | None:
    """Sets the password of the token's user and ends the token. Returns the user; None if the token is spent or
    expired."""
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
