"""Settings of API keys."""

from pydantic import BaseModel, Field, field_validator

from latchkey.http.settings import require_limit


class ApiKeySettings(BaseModel):
    """API keys."""

    api_key_rate_limit: str = Field(
        "6000/minute",
        description="Limit of requests with one API key, in the notation of the limits library. They do not count "
        "against RATE_LIMIT.",
    )

    @field_validator("api_key_rate_limit")
    @classmethod
    def _limit_parses(cls, value: str) -> str:
        return require_limit(value)
