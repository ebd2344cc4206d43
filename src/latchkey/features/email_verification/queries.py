"""SQL of verified addresses and of the tokens that verify them."""

from dataclasses import dataclass
from enum import StrEnum

from latchkey.database.pool import Connection, Queryable


class Purpose(StrEnum):
    """What a token does: verify the address that the account has, or change it to the one that it verifies."""

    VERIFY = "verify"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Requested:
    """Whose address is to be verified, and which one: theirs, or the one that they want."""

    user_id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A token that has just been spent: whose address it verifies."""

    user_id: int
    purpose: Purpose
    email: str


async def find_unverified(connection: Connection, email: str) -> Requested | None:
    """The live user with that address (lower case), if it is not verified yet; locked until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT id, name FROM users"
        " WHERE lower(email) = $1 AND NOT is_deleted AND email_verified_at IS NULL FOR NO KEY UPDATE",
        email,
    )
    return Requested(row["id"], row["name"], email) if row else None


async def set_token(
    connection: Connection, requested: Requested, purpose: Purpose, token_hash: bytes, hours: int
) -> None:
    """Gives a user a token for that address, by the database's clock; an earlier one for the purpose ends."""
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


async def renew_token(connection: Connection, token_hash: bytes, hours: int) -> Requested | None:
    """Has a token, which is neither spent nor ended by a newer one, expire later; None if there is none."""
    row = await connection.fetchrow(
        "UPDATE email_tokens SET expires_at = now() + make_interval(hours => $2) FROM users"
        " WHERE token_hash = $1 AND users.id = user_id AND NOT is_deleted RETURNING user_id, email_tokens.email, name",
        token_hash,
        hours,
    )
    return Requested(row["user_id"], row["name"], row["email"]) if row else None


async def request_change(connection: Connection, user_id: int, email: str) -> None:
    """Notes the address that a user wants; one requested earlier, and its token, ends. There is no token yet, which
    counts as expired: if none is made, housekeeping removes the request."""
    await connection.execute(
        "INSERT INTO email_tokens (user_id, purpose, email, expires_at) VALUES ($1, $2, $3, now())"
        " ON CONFLICT (user_id, purpose) DO UPDATE SET email = EXCLUDED.email,"
        # Requested again, the mail that is there already stays good: there may be no other for an hour.
        " token_hash = CASE WHEN email_tokens.email = EXCLUDED.email THEN email_tokens.token_hash END,"
        " expires_at = CASE WHEN email_tokens.email = EXCLUDED.email"
        "   THEN greatest(email_tokens.expires_at, EXCLUDED.expires_at) ELSE EXCLUDED.expires_at END",
        user_id,
        Purpose.CHANGE,
        email,
    )


async def has_requested_change(connection: Connection, user_id: int, email: str) -> bool:
    """Whether a user, whose row this transaction has locked, still wants that address."""
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM email_tokens WHERE user_id = $1 AND purpose = $2 AND email = $3",
            user_id,
            Purpose.CHANGE,
            email,
        )
    )


async def end_requested_change(connection: Connection, user_id: int) -> None:
    """Ends a requested change of address, and its token: the password is new, and someone who knew the old one may have
    requested the change."""
    await connection.execute("DELETE FROM email_tokens WHERE user_id = $1 AND purpose = $2", user_id, Purpose.CHANGE)


async def find_by_token(database: Queryable, token_hash: bytes) -> int | None:
    """The id of the live user whose token it is, if it could be spent now."""
    value: int | None = await database.fetchval(
        "SELECT user_id FROM email_tokens JOIN users ON users.id = user_id"
        " WHERE token_hash = $1 AND expires_at > now() AND NOT is_deleted",
        token_hash,
    )
    return value


async def spend(connection: Connection, token_hash: bytes) -> Proof | None:
    """Ends a token of a user whose row this transaction has locked; None if it is spent or too old."""
    row = await connection.fetchrow(
        "DELETE FROM email_tokens WHERE token_hash = $1 AND expires_at > now() RETURNING user_id, purpose, email",
        token_hash,
    )
    return Proof(row["user_id"], Purpose(row["purpose"]), row["email"]) if row else None


async def mark_verified(connection: Connection, user_id: int, email: str) -> bool:
    """Notes that a user's address is verified, if it still is theirs and was not verified yet."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET email_verified_at = now()"
            " WHERE id = $1 AND lower(email) = $2 AND email_verified_at IS NULL RETURNING 1",
            user_id,
            email,
        )
    )


async def end_tokens(connection: Connection, user_id: int) -> None:
    """Ends all tokens of a user: the address has changed, or the account is deleted."""
    await connection.execute("DELETE FROM email_tokens WHERE user_id = $1", user_id)
