"""Settings of impersonation."""

from pydantic import BaseModel, Field


class ImpersonationSettings(BaseModel):
    """Impersonation."""

    impersonation: bool = Field(
        False, description="true: admins may act for users, for 30 minutes at a time and without changing anything."
    )
