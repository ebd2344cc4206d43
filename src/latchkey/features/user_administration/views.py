"""Users in the answers of administration."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from latchkey.features.metadata.rules import AnyObject, JsonObject

_NullableTime = datetime | None


class AdminUser(BaseModel):
    """A user as admins see it. `createdAt` is null if node-api-postgres did not record it.

    A suspension whose `suspendedUntil` has passed is over; its fields stay until the next one.
    """

    id: int = Field(examples=[1])
    name: str = Field(examples=["Siam"])
    email: str = Field(examples=["siam@example.com"])
    role: str = Field(examples=["user"])
    verified_at: _NullableTime = Field(serialization_alias="verifiedAt")
    created_at: _NullableTime = Field(serialization_alias="createdAt")
    deleted_at: _NullableTime = Field(serialization_alias="deletedAt")
    suspended_at: _NullableTime = Field(serialization_alias="suspendedAt")
    suspended_until: _NullableTime = Field(serialization_alias="suspendedUntil")
    suspended_reason: str | None = Field(serialization_alias="suspendedReason")


class MetadataView(BaseModel):
    """All metadata of a user: their own part, and those of the servers."""

    owner: AnyObject
    public: AnyObject
    private: AnyObject


class AdminUserDetail(AdminUser):
    """One user, with their live sessions, metadata and the claims that access tokens carry as `app`."""

    live_sessions: int = Field(serialization_alias="liveSessions", ge=0)
    metadata: MetadataView
    token_claims: Annotated[
        JsonObject | None,
        WithJsonSchema({"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]}),
    ] = Field(serialization_alias="tokenClaims")
