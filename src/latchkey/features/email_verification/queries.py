"""SQL of verified addresses and of the tokens that verify them."""

from dataclasses import dataclass
from enum import StrEnum

from latchkey.database.pool import Connection, Queryable


class Purpose(StrEnum):
    """What a token does: verifies the account's address, or changes the address to the verified one."""

    VERIFY = "verify"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Requested:
    """The user and the address to verify: their current one or the requested one."""

    user_id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class SpentToken:
    """A spent token: the user, its purpose and the address that it verifies."""

    user_id: int
    purpose: Purpose
    email: str


async def find_unverified(connection: Connection, email: str) -> Requested | None:
    """Returns the live user with that address (lower case) if it is not verified, and locks the row."""
    row = await connection.fetchrow(
        "SELECT id, name FROM users"
        " WHERE lower(email) = $1 AND NOT is_deleted AND email_verified_at IS NULL FOR NO KEY UPDATE",
        email,
    )
    return Requested(row["id"], row["name"], email) if row else None


async def set_token(
    connection: Connection, requested: Requested, purpose: Purpose, token_hash: bytes, hours: int
) -> None:
    """Sets a user's token for that address. It replaces the user's earlier token of the same purpose."""
    await connection.execute(
        "INSERT INTO email_tokens (user_id, purpose, email, token_hash, expires_at)"
        " VALUES ($1, $2, $3, $4, now() + make_interval(hours => $5))"
        " ON CONFLICT (user_id, purpose) DO UPDATE"
        " SET email = EXCLUDED.email, token_hash = EXCLUDED.token_hash, expires_at = EXCLUDED.expires_at",
        requested.user_id,
        purpose,
        requested.email,
        token_hash,
        hours,
    )


async def renew_token(connection: Connection, token_hashes: list[bytes], hours: int) -> tuple[Requested, bytes] | None:
    """Extends the life of that one of these tokens that is still current, and returns what it verifies and its hash;
    None if it was spent or replaced."""
    row = await connection.fetchrow(
        "UPDATE email_tokens SET expires_at = now() + make_interval(hours => $2) FROM users"
        " WHERE token_hash = ANY($1::bytea[]) AND users.id = user_id AND NOT is_deleted"
        " RETURNING user_id, email_tokens.email, name, token_hash",
        token_hashes,
        hours,
    )
    return (Requested(row["user_id"], row["name"], row["email"]), row["token_hash"]) if row else None


async def request_change(connection: Connection, user_id: int, email: str) -> None:
    """Stores the address that a user requests. It replaces an earlier request and its token.

    The request has no token yet and counts as expired: if no mail is composed, housekeeping removes it.
    """
    await connection.execute(
        "INSERT INTO email_tokens (user_id, purpose, email, expires_at) VALUES ($1, $2, $3, now())"
        " ON CONFLICT (user_id, purpose) DO UPDATE SET email = EXCLUDED.email,"
        # A repeated request keeps its token: the mail limit may allow no second mail for an hour.
        " token_hash = CASE WHEN email_tokens.email = EXCLUDED.email THEN email_tokens.token_hash END,"
        " expires_at = CASE WHEN email_tokens.email = EXCLUDED.email"
        "   THEN greatest(email_tokens.expires_at, EXCLUDED.expires_at) ELSE EXCLUDED.expires_at END",
        user_id,
        Purpose.CHANGE,
        email,
    )


async def has_requested_change(connection: Connection, user_id: int, email: str) -> bool:
    """Tells whether a user still requests that address. The transaction has locked the user's row."""
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM email_tokens WHERE user_id = $1 AND purpose = $2 AND email = $3",
            user_id,
            Purpose.CHANGE,
            email,
        )
    )


async def end_requested_change(connection: Connection, user_id: int) -> None:
    """Ends a requested change of address and its token.

    A new password calls this: someone who knew the old password may have requested the change.
    """
    await connection.execute("DELETE FROM email_tokens WHERE user_id = $1 AND purpose = $2", user_id, Purpose.CHANGE)


async def find_by_token(database: Queryable, token_hash: bytes) -> int | None:
    """Returns the id of the live user with that token, if the token is valid now."""
    value: int | None = await database.fetchval(
        "SELECT user_id FROM email_tokens JOIN users ON users.id = user_id"
        " WHERE token_hash = $1 AND expires_at > now() AND NOT is_deleted",
        token_hash,
    )
    return value


async def spend(connection: Connection, token_hash: bytes) -> SpentToken | None:
    """Spends a token and returns what it verifies; None if it is spent or expired. The caller has locked the user's
    row."""
    row = await connection.fetchrow(
        "DELETE FROM email_tokens WHERE token_hash = $1 AND expires_at > now() RETURNING user_id, purpose, email",
        token_hash,
    )
    return SpentToken(row["user_id"], Purpose(row["purpose"]), row["email"]) if row else None


async def mark_verified(connection: Connection, user_id: int, email: str) -> bool:
    """Marks a user's address as verified. False if it was verified already or is no longer the user's."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET email_verified_at = now()"
            " WHERE id = $1 AND lower(email) = $2 AND email_verified_at IS NULL RETURNING 1",
            user_id,
            email,
        )
    )


async def end_tokens(connection: Connection, user_id: int) -> None:
    """Ends all e-mail tokens of a user, after a change of address or a deletion."""
    await connection.execute("DELETE FROM email_tokens WHERE user_id = $1", user_id)
