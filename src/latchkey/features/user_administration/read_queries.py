"""SQL of one user and of the list of users, for administration."""

import json
from typing import Any

import asyncpg

from latchkey.database.pool import Connection, Queryable
from latchkey.features.user_administration.search import Page, Search, split
from latchkey.features.user_administration.views import AdminUser, AdminUserDetail, MetadataView
from latchkey.sessions.queries import IS_IN_USE
from latchkey.sessions.standing import app_claims

LOOKED_AT, LOOKED_AT_FOR_WORDS = 30_000, 3_000
"""How many first rows of an order are looked at, whether they match or not. Both take some 20 ms."""
_COLUMNS = (
    "users.id, users.name, users.email, users.role, users.email_verified_at AS verified_at, users.created_at,"
    " users.deleted_at, users.suspended_at, users.suspended_until, users.suspended_reason"
)


def _values(row: asyncpg.Record) -> dict[str, Any]:
    return {name: row[name] for name in AdminUser.model_fields}


async def find(database: Queryable, user_id: int) -> AdminUserDetail | None:
    """Returns a user, deleted or not."""
    row = await database.fetchrow(
        f"SELECT {_COLUMNS}, token_claims, owner, public, private,"  # noqa: S608 constants
        f" (SELECT count(*) FROM sessions WHERE user_id = users.id AND {IS_IN_USE}) AS live_sessions"
        " FROM users LEFT JOIN user_metadata ON user_metadata.user_id = users.id WHERE users.id = $1",
        user_id,
    )
    if row is None:
        return None
    parts = {part: json.loads(row[part] or "{}") for part in ("owner", "public", "private")}
    return AdminUserDetail(
        **_values(row),
        live_sessions=row["live_sessions"],
        metadata=MetadataView(**parts),
        token_claims=app_claims(row),
    )


async def find_role(database: Queryable, user_id: int) -> str | None:
    """Returns the role of a user, deleted or not; None: there is no such user."""
    role: str | None = await database.fetchval("SELECT role FROM users WHERE id = $1", user_id)
    return role


async def words_of(connection: Connection, text: str) -> list[str]:
    """Returns the words of a text in their order, split as the index splits names and addresses."""
    rows = await connection.fetch(
        f"SELECT lexeme FROM unnest(to_tsvector('simple', {split('$1::text')})) ORDER BY positions[1]",  # noqa: S608 constant
        text,
    )
    return [row["lexeme"] for row in rows]


async def find_page(connection: Connection, search: Search, page: Page) -> list[AdminUser]:
    """Returns at most `page.limit` users of a search, in its order, from a place on."""
    conditions, arguments = search.conditions(page)
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM users WHERE {conditions} ORDER BY {search.order} LIMIT {page.limit}",  # noqa: S608 constants and a number
        *arguments,
    )
    return [AdminUser(**_values(row)) for row in rows]


async def find_among_first(connection: Connection, search: Search, page: Page) -> list[AdminUser]:
    """Does as `find_page`, but looks only at the first rows of the order, whether they match or not."""
    looked_at = LOOKED_AT if search.words is None else LOOKED_AT_FOR_WORDS
    start, _ = search.start(page)
    conditions, arguments = search.conditions(page)
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM"  # noqa: S608 constants and numbers
        f" (SELECT * FROM users WHERE {start} ORDER BY {search.order} LIMIT {looked_at}) AS users"
        f" WHERE {conditions} ORDER BY {search.order} LIMIT {page.limit}",
        *arguments,
    )
    return [AdminUser(**_values(row)) for row in rows]


async def count_live(database: Queryable) -> int:
    """Returns the number of users who are not deleted, which triggers keep."""
    total: int = await database.fetchval("SELECT sum(live)::bigint FROM user_counts")
    return total
