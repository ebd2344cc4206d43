"""Audit rows in answers."""

from datetime import datetime

from pydantic import BaseModel, Field

from latchkey.audit.queries import AuditRow
from latchkey.features.metadata.rules import AnyObject


class AuditView(BaseModel):
    """What was done, by which user (`actorId`) to which entity. `createdAt` is null in some rows of node-api-postgres.

    A row without an actor, and without `apiKeyId` and `ip` in its metadata, comes from the command line or from the
    service itself.
    """

    id: int
    actor_id: int | None = Field(serialization_alias="actorId")
    action: str = Field(examples=["LOGIN"])
    entity_type: str = Field(serialization_alias="entityType", examples=["users"])
    entity_id: int | None = Field(serialization_alias="entityId")
    metadata: AnyObject
    created_at: datetime | None = Field(serialization_alias="createdAt")


def view_of(row: AuditRow) -> AuditView:
    """Returns a row as answers show it."""
    return AuditView(
        id=row.id,
        actor_id=row.actor_id,
        action=row.action,
        entity_type=row.entity_type,
        entity_id=row.entity_id,
        metadata=row.metadata,
        created_at=row.created_at,
    )
