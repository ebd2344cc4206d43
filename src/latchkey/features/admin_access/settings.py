"""Settings of admin access."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from latchkey.http.settings import Network, require_limit
from latchkey.secret_rules import split_commas


class AdminAccessSettings(BaseModel):
    """Administration."""

    admin_rate_limit: str = Field(
        "1000/15 minutes",
        description="Limit of requests to /admin from one client address, in the notation of the limits library. They"
        " do not count against RATE_LIMIT.",
    )
    admin_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        description="Comma-separated addresses or networks that may call /admin, with an API key, too. Unset: any.",
    )
    reauthentication_minutes: int = Field(
        10,
        ge=1,
        le=1440,
        description="Minutes after a sign-in for which an admin may do what cannot be undone. Then: sign in again.",
    )

    @field_validator("admin_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: Any) -> Any:
        return split_commas(value)

    @field_validator("admin_rate_limit")
    @classmethod
    def _admin_limit_parses(cls, value: str) -> str:
        return require_limit(value)
