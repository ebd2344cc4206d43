"""Settings of signing keys."""

from pydantic import BaseModel, Field


class SigningKeySettings(BaseModel):
    """Signing keys."""

    signing_key_days: int = Field(
        180, ge=1, le=3650, description="Days for which a key signs access tokens. Then a new one takes over by itself."
    )
