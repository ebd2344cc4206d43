"""SQL of users for operators: includes deleted users, times and live sessions."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from latchkey.database.pool import Queryable
from latchkey.sessions.queries import IS_IN_USE


@dataclass(frozen=True, slots=True)
class Account:
    """A user, deleted or not. Times are UTC. `created_at` is None if node-api-postgres did not record it."""

    id: int
    name: str
    email: str
    role: str
    is_deleted: bool
    created_at: datetime | None
    deleted_at: datetime | None
    email_verified_at: datetime | None
    suspended_at: datetime | None
    suspended_until: datetime | None
    suspended_reason: str | None
    live_sessions: int


_ACCOUNT = (
    "SELECT users.id, name, email, role, is_deleted, users.created_at, deleted_at, email_verified_at,"  # noqa: S608 constants
    " suspended_at, suspended_until, suspended_reason,"
    f" (SELECT count(*) FROM sessions WHERE user_id = users.id AND {IS_IN_USE}) AS live_sessions FROM users"
)


def _account(row: asyncpg.Record) -> Account:
    return Account(**dict(row))


async def find(database: Queryable, user_id: int) -> Account | None:
    """Returns an account by its id, deleted or not."""
    row = await database.fetchrow(f"{_ACCOUNT} WHERE users.id = $1", user_id)
    return _account(row) if row else None


async def find_by_email(database: Queryable, email: str) -> list[Account]:
    """Returns the accounts with an address in any case: the live one first, then the most recently deleted."""
    rows = await database.fetch(
        f"{_ACCOUNT} WHERE lower(email) = lower($1) ORDER BY is_deleted, deleted_at DESC NULLS LAST, users.id DESC",
        email,
    )
    return [_account(row) for row in rows]


async def page(database: Queryable, *, deleted: bool, limit: int, offset: int) -> list[Account]:
    """Returns a page of the live or the deleted accounts, newest id first."""
    rows = await database.fetch(
        f"{_ACCOUNT} WHERE is_deleted = $1 ORDER BY users.id DESC LIMIT $2 OFFSET $3", deleted, limit, offset
    )
    return [_account(row) for row in rows]


async def count(database: Queryable, *, deleted: bool) -> int:
    """Counts the live or the deleted accounts."""
    number: int = await database.fetchval("SELECT count(*) FROM users WHERE is_deleted = $1", deleted)
    return number
