"""Settings of password hashing."""

from pydantic import BaseModel, Field


class HashingSettings(BaseModel):
    """Password hashing."""

    bcrypt_rounds: int = Field(
        10,
        ge=4,
        le=16,
        description="Cost of a password hash. The user's next login renews a hash of other rounds.",
    )
    hash_queue_seconds: float = Field(
        2.0, gt=0, le=30, description="Seconds a login waits for a core before it gets 503."
    )
