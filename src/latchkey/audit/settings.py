"""Settings of the audit log."""

from pydantic import BaseModel, Field


class AuditSettings(BaseModel):
    """Audit log."""

    audit_required: bool = Field(
        False, description="true: a change whose audit row the database refuses fails with 503."
    )
    audit_keep_days: int | None = Field(
        None, ge=1, le=36_500, description="Days after which audit rows are removed. Unset: never."
    )
