"""Settings of sign-in."""

from pydantic import BaseModel, Field


class SignInSettings(BaseModel):
    """Sign-in."""

    new_device_mail: bool = Field(False, description="true: e-mail the user about a sign-in from a new device.")
