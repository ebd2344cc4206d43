"""Tells whether a database is node-api-postgres's. Runs once, before the first revision."""

import asyncpg

from latchkey.database.adoption.adoption import MigrationError

USERS = (
    *("id", "name", "email", "password", "is_deleted"),
    *("reset_token", "reset_token_expires", "refresh_token", "created_at"),
)
AUDIT_LOGS = ("id", "actor_id", "action", "entity_type", "entity_id", "metadata", "created_at")
OURS = ("sessions", "mail_outbox", "email_tokens", "user_counts", "signing_keys", "api_keys")


class UnfitSchema(MigrationError):
    """The database has tables of our names that are not node-api-postgres's, or that we may not change.

    Nothing was changed.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["This database cannot be migrated. Nothing was changed.", *problems]))


TABLE = """
SELECT c.relkind = 'r' AS is_table,
       CASE WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN pg_get_userbyid(c.relowner) END AS foreign_owner,
       current_user AS role,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
           AS columns,
       EXISTS(SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id' AND atttypid = 'integer'::regtype)
           AS has_integer_id
FROM pg_class AS c WHERE c.oid = to_regclass($1)
"""

ID_SEQUENCE = "SELECT pg_get_serial_sequence($1, 'id')"

USERS_KEY = """
SELECT EXISTS(
    SELECT FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attname = 'id'
    WHERE i.indrelid = 'users'::regclass AND i.indisunique AND i.indpred IS NULL
      AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
)
"""


async def original_tables(connection: asyncpg.Connection) -> frozenset[str]:
    """Returns the tables of node-api-postgres that exist along the search path: none in a new database."""
    exists = "SELECT to_regclass($1) IS NOT NULL"
    return frozenset([table for table in ("users", "audit_logs") if await connection.fetchval(exists, table)])


async def require_adoptable(connection: asyncpg.Connection) -> None:
    """Raises UnfitSchema if a table of one of our names exists and is not node-api-postgres's. Only reads."""
    problems = await _table_problems(connection, "users", USERS)
    problems += await _table_problems(connection, "audit_logs", AUDIT_LOGS)
    present = await original_tables(connection)
    if present == {"audit_logs"}:
        problems.append(
            "The table audit_logs exists, but users does not: check the name of the database and search_path."
        )
    if "users" in present and not problems and not await connection.fetchval(USERS_KEY):
        problems.append("users has no primary key on id: ALTER TABLE users ADD PRIMARY KEY (id).")
    for table in OURS:
        if await connection.fetchrow(TABLE, table):
            problems.append(f"The relation {table} exists, and Latchkey needs that name: rename it.")
    if problems:
        raise UnfitSchema(problems)


async def _table_problems(connection: asyncpg.Connection, table: str, columns: tuple[str, ...]) -> list[str]:
    found = await connection.fetchrow(TABLE, table)
    if found is None:
        return []
    if not found["is_table"]:
        return [f"{table} is not an ordinary table."]
    missing = [column for column in columns if column not in found["columns"]]
    if missing:
        return [f"{table} is not node-api-postgres's: it has no column {', '.join(missing)}."]
    if not found["has_integer_id"]:
        return [f"{table} is not node-api-postgres's: its id is not an integer."]
    problems = []
    if found["foreign_owner"]:
        problems.append(f"{table} belongs to {found['foreign_owner']}, not to {found['role']}: migrate as its owner.")
    if not await connection.fetchval(ID_SEQUENCE, table):
        problems.append(f"{table}.id has no sequence: ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id.")
    return problems
