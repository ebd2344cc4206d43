"""SQL of the audit log."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from latchkey.audit.event import Event
from latchkey.database.pool import Connection

COLUMNS = "id, actor_id, action, entity_type, entity_id, metadata, created_at"
"""SQL, the columns of an audit row."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored audit row. `created_at` is UTC, and None in some rows of node-api-postgres."""

    id: int
    actor_id: int | None
    action: str
    entity_type: str
    entity_id: int | None
    metadata: dict[str, Any]
    created_at: datetime | None


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


def audit_row(row: asyncpg.Record) -> AuditRow:
    """Makes an audit row of one that has the columns COLUMNS."""
    return AuditRow(
        id=row["id"],
        actor_id=row["actor_id"],
        action=row["action"],
        entity_type=row["entity_type"],
        entity_id=row["entity_id"],
        metadata=json.loads(row["metadata"]) if row["metadata"] is not None else {},
        created_at=row["created_at"],
    )
