"""Settings of sessions."""

import re

from pydantic import BaseModel, Field, field_validator

from latchkey.urls import host_problem


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
    native_refresh_days: int = Field(
        30,
        ge=1,
        le=400,
        description="Days a refresh token of a native client lives, within SESSION_MAX_DAYS.",
    )
    token_issuer: str = Field(
        "",
        description="`iss` of access tokens: the URL by which apps know this installation. Unset: PUBLIC_URL.",
    )
    token_audience: str = Field(
        "", description="`aud` of access tokens, which the apps that verify them compare. Unset: TOKEN_ISSUER."
    )

    @field_validator("token_issuer")
    @classmethod
    def _issuer_is_absolute(cls, value: str) -> str:
        # Compared as text by every verifier, so it is kept as it is (RFC 8414, section 2).
        if value and (host_problem(value) or re.search(r"[?#]", value)):
            raise ValueError("must be an absolute http or https URL without query or fragment")
        return value

    @field_validator("token_audience")
    @classmethod
    def _audience_is_readable(cls, value: str) -> str:
        if re.search(r"[^!-~]", value):
            raise ValueError("must be a name or a URL of ASCII characters without spaces")
        return value
