"""Settings of passwords."""

from pydantic import BaseModel, Field, field_validator

from latchkey.urls import require_page


class PasswordSettings(BaseModel):
    """Passwords."""

    password_min_length: int = Field(
        8, ge=1, le=72, description="Least number of characters of a new password. The maximum is 72 bytes."
    )
    reset_url: str = Field(
        "", description="Page of your front end that reset links open. Its origin belongs in CORS_ORIGINS."
    )

    @field_validator("reset_url")
    @classmethod
    def _reset_url_is_a_page(cls, value: str) -> str:
        return require_page(value)

    def reset_page(self, base_url: str) -> str:
        """Returns the page that reset links open: RESET_URL, or ours below `base_url`."""
        return self.reset_url or f"{base_url}/reset-password"
