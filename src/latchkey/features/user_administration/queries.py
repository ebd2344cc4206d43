"""SQL of changes by admins."""

from dataclasses import dataclass
from datetime import datetime

from latchkey.database.pool import Connection
from latchkey.features.metadata.rules import JsonObject, stored_text
from latchkey.sessions.standing import IS_SUSPENDED, app_claims


@dataclass(frozen=True, slots=True)
class HeldUser:
    """A user, deleted or not, whose row the transaction has locked. `is_suspended` is about now."""

    id: int
    name: str
    email: str
    role: str
    is_deleted: bool
    is_suspended: bool
    is_verified: bool
    token_claims: JsonObject | None

    @property
    def is_usable_admin(self) -> bool:
        """Tells whether this is an admin who can sign in."""
        return self.role == "admin" and not self.is_deleted and not self.is_suspended


async def hold(connection: Connection, user_ids: set[int]) -> dict[int, HeldUser]:
    """Locks users, always in the same order, and returns those that exist, by id."""
    rows = await connection.fetch(
        f"SELECT id, name, email, role, is_deleted, {IS_SUSPENDED} AS is_suspended,"  # noqa: S608 constant
        " email_verified_at IS NOT NULL AS is_verified, token_claims"
        " FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        list(user_ids),
    )
    return {row["id"]: HeldUser(**dict(row) | {"token_claims": app_claims(row)}) for row in rows}


async def set_role(connection: Connection, user_id: int, role: str) -> None:
    """Sets the role of a locked user."""
    await connection.execute("UPDATE users SET role = $2 WHERE id = $1", user_id, role)


async def set_verified(connection: Connection, user_id: int, *, verified: bool) -> None:
    """Marks the address of a locked user as verified now, or as not verified."""
    await connection.execute(
        "UPDATE users SET email_verified_at = CASE WHEN $2 THEN now() END WHERE id = $1", user_id, verified
    )


async def set_token_claims(connection: Connection, user_id: int, claims: JsonObject | None) -> None:
    """Sets the claims for the app of a locked user; None: no claims."""
    await connection.execute(
        "UPDATE users SET token_claims = $2 WHERE id = $1", user_id, None if claims is None else stored_text(claims)
    )


async def suspend(connection: Connection, user_id: int, reason: str, until: datetime | None) -> bool:
    """Suspends a locked user, from now or as long as they are suspended already. False if `until` has passed."""
    return bool(
        await connection.fetchval(
            "UPDATE users SET suspended_reason = $2, suspended_until = $3,"  # noqa: S608 constant
            f" suspended_at = CASE WHEN {IS_SUSPENDED} THEN suspended_at ELSE now() END"
            " WHERE id = $1 AND ($3::timestamptz IS NULL OR $3 > now()) RETURNING 1",
            user_id,
            reason,
            until,
        )
    )


async def unsuspend(connection: Connection, user_id: int) -> None:
    """Ends the suspension of a locked user."""
    await connection.execute(
        "UPDATE users SET suspended_at = NULL, suspended_until = NULL, suspended_reason = NULL WHERE id = $1", user_id
    )


async def erase(connection: Connection, statements: tuple[str, ...], user_id: int) -> None:
    """Runs the statements by which housekeeping erases a deleted account."""
    for statement in statements:
        await connection.execute(statement, [user_id])
