"""A database of node-api-postgres, and comparisons of databases before and after a migration."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

USERS = """
CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    email VARCHAR(150) UNIQUE NOT NULL,
    password VARCHAR(255) NOT NULL,
    is_deleted BOOLEAN DEFAULT FALSE,
    reset_token VARCHAR(255),
    reset_token_expires TIMESTAMP,
    refresh_token TEXT,
    created_at TIMESTAMP DEFAULT NOW()
);
"""
AUDIT_LOGS = """
CREATE TABLE audit_logs (
    id SERIAL PRIMARY KEY,
    actor_id INTEGER REFERENCES users(id) ON DELETE SET NULL,
    action VARCHAR(64) NOT NULL,
    entity_type VARCHAR(64) NOT NULL,
    entity_id INTEGER,
    metadata JSONB DEFAULT '{}'::jsonb,
    created_at TIMESTAMP DEFAULT NOW()
);
"""
README = USERS + AUDIT_LOGS
"""The SQL of node-api-postgres's README."""

PARTIAL_INDEX = (
    README.replace(" UNIQUE", "")
    + "CREATE UNIQUE INDEX users_email_unique_active ON users (email) WHERE is_deleted = FALSE;"
)
"""What node-api-postgres's error handler expects and its author's own database has."""

NO_FOREIGN_KEY = README.replace(" REFERENCES users(id) ON DELETE SET NULL", "")

# Hashes in the form of Node's bcrypt. Times cover both sides of summer time, half hours and NULL.
ROWS = """
INSERT INTO users (name, email, password, is_deleted, reset_token, reset_token_expires, refresh_token, created_at)
SELECT 'Ünïcode 名 ' || n, 'user' || n || '@example.com',
       '$2b$10$' || left(md5(n::text) || md5('salt' || n), 53), n % 10 = 0,
       CASE WHEN n % 7 = 3 AND n % 10 <> 0 THEN encode(sha256(('reset' || n)::bytea), 'hex') END,
       CASE WHEN n % 7 = 3 AND n % 10 <> 0 THEN timestamp '2024-03-05 10:00' END,
       CASE WHEN n % 2 = 0 THEN encode(sha256(('refresh' || n)::bytea), 'hex') END,
       CASE WHEN n % 100 <> 1 THEN timestamp '2023-01-01 00:30:00.123456' + n * interval '1 hour' END
FROM generate_series(1, {users}) AS n;
INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata, created_at)
SELECT CASE WHEN n % 11 <> 0 THEN 1 + n % {users} END, 'LOGIN', 'users', 1 + n % {users},
       jsonb_build_object('email', 'user' || n || '@x', 'big', 12345678901234567890, 'list', '[1, null]'::jsonb),
       timestamp '2023-06-01' + n * interval '7 minutes'
FROM generate_series(1, {audits}) AS n;
"""


def connector(dsn: str) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Returns a function for `migrate` that opens a connection to that database."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn)

    return connect


async def run(dsn: str, script: str) -> None:
    """Runs a script of SQL on a new connection."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def rows(dsn: str, query: str, *args: Any) -> list[tuple[Any, ...]]:
    """Returns the rows of a query on a new connection."""
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row.values()) for row in await connection.fetch(query, *args)]
    finally:
        await connection.close()


async def value(dsn: str, query: str, *args: Any) -> Any:
    """Returns the first value of a query."""
    return (await rows(dsn, query, *args))[0][0]


CATALOG = """
SELECT c.oid::regclass::text AS name, c.relkind::text AS kind, pg_relation_filenode(c.oid) AS file,
       coalesce(pg_get_indexdef(i.indexrelid), '') AS index,
       ARRAY(SELECT concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                              pg_get_expr(d.adbin, d.adrelid))
             FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum) AS columns,
       ARRAY(SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = c.oid ORDER BY conname) AS constraints
FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace::regnamespace::text NOT LIKE ALL ('{pg\\_%,information\\_schema}') ORDER BY 1
"""


async def snapshot(dsn: str) -> list[tuple[Any, ...]]:
    """Returns the whole database: its catalog (with files, so that a rewrite shows), sequences and all rows."""
    catalog = await rows(dsn, CATALOG)
    content: list[tuple[Any, ...]] = []
    for name, kind, *_ in catalog:
        if kind in ("r", "S"):
            content += sorted((name, repr(row)) for row in await rows(dsn, f"SELECT * FROM {name}"))
    return [*catalog, *content]


# Times are compared in seconds: only after the migration do they have a zone.
KEPT = (
    """SELECT (id, name, email, password, is_deleted, reset_token, {reset_token_expires}, {created_at})::text
    FROM users ORDER BY id""",
    """SELECT (id, actor_id, action, entity_type, entity_id, metadata, {created_at})::text
    FROM audit_logs ORDER BY id""",
)


async def checksum(dsn: str, zone: str | None = None) -> str:
    """Returns the SHA-256 of everything that a migration must keep. `zone`: the zone of timestamps without one."""
    at = f" AT TIME ZONE '{zone}'" if zone else ""
    times = {column: f"extract(epoch from {column}{at})" for column in ("created_at", "reset_token_expires")}
    digest = hashlib.sha256()
    for query in KEPT:
        for (row,) in await rows(dsn, query.format(**times)):
            digest.update(row.encode() + b"\n")
    return digest.hexdigest()
