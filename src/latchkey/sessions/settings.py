"""Settings of sessions."""

from pydantic import BaseModel, Field


class SessionSettings(BaseModel):
    """Sessions."""

    refresh_leeway_seconds: int = Field(
        0,
        ge=0,
        le=60,
        description="Seconds a just-replaced refresh token still returns the same new pair. 0: strictly single use.",
    )
    session_max_days: int = Field(
        30, ge=1, le=3650, description="Days after which a session ends, however often it was refreshed."
    )
    session_limit: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Live sessions a user may have. A login above the limit ends the oldest one. Unset: no limit.",
    )
