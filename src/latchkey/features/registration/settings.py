"""Settings of registration."""

from typing import Literal

from pydantic import BaseModel, Field


class RegistrationSettings(BaseModel):
    """Registration."""

    registration: Literal["open", "closed"] = Field(
        "open", description="`closed`: only `latchkey users create` creates accounts."
    )
