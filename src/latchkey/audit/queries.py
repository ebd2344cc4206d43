"""SQL of the audit log."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from latchkey.audit.event import Event
from latchkey.database.pool import Connection, Queryable


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored audit row. `created_at` is UTC."""

    id: int
    actor_id: int | None
    action: str
    entity_type: str
    entity_id: int | None
    metadata: dict[str, Any]
    created_at: datetime


async def insert(connection: Connection, event: Event) -> None:
    """Inserts an audit row in the transaction of `connection`."""
    await connection.execute(
        "INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata) VALUES ($1, $2, $3, $4, $5)",
        event.actor_id,
        event.action,
        event.entity_type,
        event.entity_id,
        json.dumps(event.metadata()),
    )


async def latest(database: Queryable, *, user_id: int | None, action: str | None, limit: int) -> list[AuditRow]:
    """Returns the newest rows first: all, or those by or about a user."""
    rows = await database.fetch(
        "SELECT id, actor_id, action, entity_type, entity_id, metadata, created_at FROM audit_logs"
        " WHERE ($1::int IS NULL OR entity_id = $1 OR actor_id = $1) AND ($2::text IS NULL OR action = $2)"
        " ORDER BY id DESC LIMIT $3",
        user_id,
        action,
        limit,
    )
    return [_row(row) for row in rows]


def _row(row: asyncpg.Record) -> AuditRow:
    return AuditRow(
        id=row["id"],
        actor_id=row["actor_id"],
        action=row["action"],
        entity_type=row["entity_type"],
        entity_id=row["entity_id"],
        metadata=json.loads(row["metadata"]) if row["metadata"] is not None else {},
        created_at=row["created_at"],
    )
