"""Settings of an account's fields."""

from pydantic import BaseModel, Field


class UserSettings(BaseModel):
    """Names of users."""

    name_min_length: int = Field(
        1, ge=1, le=100, description="Least number of characters in a name. At least one is visible, always."
    )
