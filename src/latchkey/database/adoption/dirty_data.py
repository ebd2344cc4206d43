"""Finds rows of a node-api-postgres database that break the new rules, before anything is changed."""

from collections.abc import Collection
from dataclasses import dataclass

import asyncpg

from latchkey.database.adoption.adoption import ADDRESS_KEY, MigrationError, Resolutions


@dataclass(frozen=True)
class DirtyRow:
    """A row that blocks the migration. `resolution` is the command line option that settles it."""

    table: str
    id: int
    problem: str
    resolution: str


class DirtyData(MigrationError):
    """Rows block the migration, and nothing was changed.

    `rows` are all of them with addresses, because the operator must tell the accounts apart. Show it on a
    terminal, not in a log.
    """

    def __init__(self, rows: list[DirtyRow]) -> None:
        self.rows = tuple(rows)
        lines = [f"  {row.table} {row.id}: {row.problem} ({row.resolution})" for row in rows]
        head = f"{len(rows)} rows cannot be migrated as they are. Nothing was changed. Correct them, or give"
        super().__init__("\n".join([head, "the option named after each:", *lines]))


NULL_FLAGS = "SELECT id FROM users WHERE is_deleted IS NULL ORDER BY id"

# A NULL flag counts as live until the operator decides. This may list a row too many, but avoids a second list.
DUPLICATE_EMAILS = f"""
WITH live AS (
    SELECT id, email, {ADDRESS_KEY} AS key FROM users
    WHERE NOT coalesce(is_deleted, $1::boolean)
), shared AS (
    SELECT key, array_agg(id ORDER BY id) AS ids FROM live GROUP BY key HAVING count(*) > 1
)
SELECT live.id, live.email, array_remove(shared.ids, live.id) AS others
FROM live JOIN shared USING (key) ORDER BY shared.ids, live.id
"""

DUPLICATE_RESET_TOKENS = """
SELECT users.id, array_remove(shared.ids, users.id) AS others
FROM users JOIN (
    SELECT reset_token, array_agg(id ORDER BY id) AS ids FROM users
    WHERE reset_token IS NOT NULL GROUP BY reset_token HAVING count(*) > 1
) AS shared USING (reset_token)
ORDER BY shared.ids, users.id
"""

ORPHAN_AUDITS = """
SELECT id, actor_id FROM audit_logs
WHERE actor_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE users.id = audit_logs.actor_id)
ORDER BY id
"""


async def find_dirty_data(
    connection: asyncpg.Connection, resolve: Resolutions, tables: Collection[str]
) -> list[DirtyRow]:
    """Returns every row that breaks the new rules and that `resolve` does not settle. Only reads.

    `tables` are the tables of node-api-postgres that exist.
    """
    dirty: list[DirtyRow] = []
    if "users" in tables:
        dirty += await _null_flags(connection, resolve)
        dirty += await _duplicate_emails(connection, resolve)
        dirty += await _duplicate_reset_tokens(connection, resolve)
    if "audit_logs" in tables:
        dirty += await _orphan_audits(connection, resolve)
    return dirty


async def _null_flags(connection: asyncpg.Connection, resolve: Resolutions) -> list[DirtyRow]:
    if resolve.null_flags:
        return []
    problem = "is_deleted is NULL, neither active nor deleted"
    rows = await connection.fetch(NULL_FLAGS)
    return [DirtyRow("users", row["id"], problem, "--null-flags active|deleted") for row in rows]


async def _duplicate_emails(connection: asyncpg.Connection, resolve: Resolutions) -> list[DirtyRow]:
    if resolve.duplicate_emails:
        return []
    rows = await connection.fetch(DUPLICATE_EMAILS, resolve.null_flags == "deleted")
    option = "--duplicate-emails keep-oldest|keep-newest"
    return [
        DirtyRow("users", row["id"], f"{row['email']!r} is also the address of {_users(row['others'])}", option)
        for row in rows
    ]


async def _duplicate_reset_tokens(connection: asyncpg.Connection, resolve: Resolutions) -> list[DirtyRow]:
    if resolve.duplicate_reset_tokens:
        return []
    rows = await connection.fetch(DUPLICATE_RESET_TOKENS)
    option = "--duplicate-reset-tokens clear"
    return [
        DirtyRow("users", row["id"], f"reset_token is also that of {_users(row['others'])}", option) for row in rows
    ]


async def _orphan_audits(connection: asyncpg.Connection, resolve: Resolutions) -> list[DirtyRow]:
    if resolve.orphan_audits:
        return []
    rows = await connection.fetch(ORPHAN_AUDITS)
    return [
        DirtyRow("audit_logs", row["id"], f"actor_id {row['actor_id']} is no user", "--orphan-audits clear")
        for row in rows
    ]


def _users(ids: list[int]) -> str:
    return ("user " if len(ids) == 1 else "users ") + ", ".join(map(str, ids))
