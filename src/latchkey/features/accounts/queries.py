"""SQL of accounts."""

from uuid import UUID

from latchkey.database.pool import Connection, Queryable
from latchkey.database.queries import lock_by_name
from latchkey.sessions.standing import IS_SUSPENDED
from latchkey.users.queries import user_of
from latchkey.users.user import User


async def find_many(database: Queryable, user_ids: list[int]) -> dict[int, User]:
    """Returns those of the users that exist and are not deleted, by id."""
    rows = await database.fetch("SELECT id, name, email FROM users WHERE id = ANY($1) AND NOT is_deleted", user_ids)
    return {row["id"]: user_of(row) for row in rows}


async def page(database: Queryable, *, limit: int, offset: int) -> tuple[list[User], int]:
    """Returns a page of live users, newest id first, and their total. One statement, so both come from one snapshot."""
    rows = await database.fetch(
        "SELECT counted.total, listed.id, listed.name, listed.email"
        " FROM (SELECT sum(live)::bigint AS total FROM user_counts) AS counted"
        " LEFT JOIN LATERAL (SELECT id, name, email FROM users WHERE NOT is_deleted"
        "   ORDER BY id DESC LIMIT $1 OFFSET $2) AS listed ON true"
        " ORDER BY listed.id DESC",
        limit,
        offset,
    )
    return [user_of(row) for row in rows if row["id"] is not None], rows[0]["total"]


_DELETE = (
    "UPDATE users SET is_deleted = true, deleted_at = now(), deleted_by_session = $2,"
    " reset_token = NULL, reset_token_expires = NULL WHERE id = $1 AND NOT is_deleted"
)


async def delete(connection: Connection, user_id: int, session_id: UUID | None) -> User | None:
    """Marks a live user who is no administrator as deleted and returns it, or None. `session_id` is the session that
    deleted it; None: an operator."""
    row = await connection.fetchrow(
        f"{_DELETE} AND role = 'user' RETURNING id, name, email",
        user_id,
        session_id,
    )
    return user_of(row) if row else None


async def delete_any(connection: Connection, user_id: int, session_id: UUID | None) -> tuple[User, bool] | None:
    """Does as `delete` for every live user, and tells whether it was a usable administrator.

    The transaction has the lock of administrators.
    """
    row = await connection.fetchrow(
        f"{_DELETE} RETURNING id, name, email, role = 'admin' AND NOT {IS_SUSPENDED} AS was_usable_admin",
        user_id,
        session_id,
    )
    return (user_of(row), row["was_usable_admin"]) if row else None


async def lock_admins(connection: Connection) -> None:
    """Waits for all other transactions that may leave no usable administrator.

    Take this lock first, then rows of users, then count in another statement.
    """
    await lock_by_name(connection, "administrators")


async def has_usable_admin(connection: Connection) -> bool:
    """Tells whether an administrator is neither deleted nor suspended now."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM users"  # noqa: S608 constant
            f" WHERE role = 'admin' AND NOT is_deleted AND NOT {IS_SUSPENDED})"
        )
    )


async def restore(connection: Connection, user_id: int, session_id: UUID | None) -> User | None:
    """Restores a deleted user and returns it; None if no such user can be restored.

    With `session_id`, only a user that this session deleted; with None, any. Raises asyncpg.UniqueViolationError when a
    live user has the address now.
    """
    row = await connection.fetchrow(
        "UPDATE users SET is_deleted = false, deleted_at = NULL, deleted_by_session = NULL"
        " WHERE id = $1 AND is_deleted AND ($2::uuid IS NULL OR deleted_by_session = $2) RETURNING id, name, email",
        user_id,
        session_id,
    )
    return user_of(row) if row else None
