"""Settings of sessions."""

from pydantic import BaseModel, Field


class SessionSettings(BaseModel):
    """Sessions."""

    access_token_seconds: int = Field(
        300,
        ge=60,
        le=3600,
        description="Seconds an access token lives. Then the client gets new tokens by a refresh.",
    )
    refresh_token_hours: int = Field(
        24,
        ge=1,
        le=720,
        description="Hours a refresh token lives. Someone who stays away longer must sign in again.",
    )
    refresh_leeway_seconds: int = Field(
        0,
        ge=0,
        le=60,
        description="Seconds a just-replaced refresh token still returns the same new pair. 0: strictly single use.",
    )
    session_max_days: int = Field(
        30, ge=1, le=3650, description="Days after which a session ends, however often it was refreshed."
    )
    session_limit: int = Field(
        100,
        ge=0,
        le=1000,
        description="Live sessions a user may have. A login above the limit ends the oldest ones. 0: no limit.",
    )
