"""SQL of API keys. All times are the database's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from latchkey.database.pool import Connection, Database, Queryable
from latchkey.database.queries import CHANGED_CHANNEL


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, without its hash. Times are UTC. `created_by` is None for a key of the command line."""

    id: str
    name: str
    scopes: list[str]
    created_by: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A key that is neither revoked nor expired. `expires_in`: seconds from now, None for a key that never expires."""

    hash: bytes
    scopes: frozenset[str]
    expires_in: float | None


CHANGED_KEY = "api_key "
"""The beginning of the payload that notifies instances of a revoked key; its id follows."""

_COLUMNS = "id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at"


def _api_key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(**{column: row[column] for column in _COLUMNS.split(", ")})


async def insert(
    connection: Connection,
    key_id: str,
    name: str,
    secret_hash: bytes,
    scopes: list[str],
    expires_in_days: int | None,
    created_by: int | None,
) -> ApiKey:
    """Stores a new key and returns it. `expires_in_days` None: it never expires. `created_by` is the admin."""
    row = await connection.fetchrow(
        "INSERT INTO api_keys (id, name, secret_hash, scopes, expires_at, created_by)"  # noqa: S608 constant
        f" VALUES ($1, $2, $3, $4, now() + make_interval(days => $5), $6) RETURNING {_COLUMNS}",
        key_id,
        name,
        secret_hash,
        scopes,
        expires_in_days,
        created_by,
    )
    assert row is not None, "an INSERT returns its row"
    return _api_key(row)


async def list_keys(database: Queryable) -> list[ApiKey]:
    """Returns all keys, newest first, revoked and expired ones included."""
    rows = await database.fetch(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at DESC, id")  # noqa: S608 constant
    return [_api_key(row) for row in rows]


async def lock(connection: Connection, key_id: str) -> ApiKey | None:
    """Returns a key, locked until the transaction ends, or None."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM api_keys WHERE id = $1 FOR NO KEY UPDATE",  # noqa: S608 constant
        key_id,
    )
    return _api_key(row) if row else None


async def revoke(connection: Connection, key_id: str) -> ApiKey:
    """Revokes a locked key, notifies every instance at the commit, and returns the key."""
    row = await connection.fetchrow(
        "UPDATE api_keys SET revoked_at = now() WHERE id = $1"  # noqa: S608 constants
        f" RETURNING {_COLUMNS}, pg_notify('{CHANGED_CHANNEL}', '{CHANGED_KEY}' || id)",
        key_id,
    )
    assert row is not None, "the row is locked by this transaction"
    return _api_key(row)


async def find_usable(database: Queryable, key_ids: list[str]) -> dict[str, UsableKey]:
    """Returns those of the keys that may be used now, by id."""
    rows = await database.fetch(
        "SELECT id, secret_hash, scopes, extract(epoch FROM expires_at - now())::float8 AS expires_in FROM api_keys"
        " WHERE id = ANY($1) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
        key_ids,
    )
    return {row["id"]: UsableKey(row["secret_hash"], frozenset(row["scopes"]), row["expires_in"]) for row in rows}


async def expiring(database: Queryable, *, within_days: int) -> dict[str, datetime]:
    """Returns the usable keys that expire within so many days, by id: when each does, the first one first."""
    rows = await database.fetch(
        "SELECT id, expires_at FROM api_keys WHERE revoked_at IS NULL AND expires_at > now()"
        " AND expires_at < now() + make_interval(days => $1) ORDER BY expires_at, id",
        within_days,
    )
    return {row["id"]: row["expires_at"] for row in rows}


async def note_uses(database: Database, seconds_ago: Mapping[str, float]) -> None:
    """Stores when keys were last used: so many seconds ago, by id. Never replaces a later time."""
    await database.write(
        "WITH used AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS used(id, seconds_ago)),"
        # Locked in one order, because every instance does this at about the same time.
        " locked AS (SELECT api_keys.id, now() - make_interval(secs => seconds_ago) AS used_at"
        "   FROM api_keys JOIN used USING (id) ORDER BY api_keys.id FOR NO KEY UPDATE OF api_keys)"
        " UPDATE api_keys SET last_used_at = greatest(last_used_at, used_at) FROM locked WHERE api_keys.id = locked.id",
        list(seconds_ago),
        list(seconds_ago.values()),
    )
