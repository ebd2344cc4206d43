"""The endpoints of the caller's own metadata."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from latchkey.features.metadata.queries import Metadata
from latchkey.features.metadata.rules import AnyObject, OwnerObject
from latchkey.features.metadata.service import OwnMetadata
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.no_query import NoQuery
from latchkey.sessions.endpoints import own_actor

PATH = "/auth/me/metadata"


class OwnMetadataView(BaseModel):
    """The user's own part, and what the app's servers let them read."""

    owner: AnyObject
    public: AnyObject


class NewOwnerMetadata(BaseModel):
    """The body of PUT /auth/me/metadata. It replaces the whole part."""

    model_config = ConfigDict(extra="forbid")

    owner: OwnerObject


def metadata_endpoints(metadata: OwnMetadata, signed_in: Guard) -> tuple[Endpoint[Any], ...]:
    """Returns the endpoints that read and replace the caller's own metadata."""

    async def get_metadata(call: Call[None]) -> Reply:
        return Reply(_view(await metadata.get(call.signed_in.user_id)))

    async def put_metadata(call: Call[NewOwnerMetadata]) -> Reply:
        return Reply(_view(await metadata.set_owner(call.signed_in.user_id, call.body.owner, own_actor(call))))

    return (
        Endpoint(
            method="GET",
            path=PATH,
            handler=get_metadata,
            tag="Auth",
            summary="Read your metadata",
            description="`owner` is yours. `public` is what the app's servers have set for you to read.",
            success=(Success(data=OwnMetadataView),),
            guard=signed_in,
            query=NoQuery,
        ),
        Endpoint(
            method="PUT",
            path=PATH,
            handler=put_metadata,
            tag="Auth",
            summary="Replace your metadata",
            description="Replaces `owner` whole. An equal object writes nothing.",
            success=(Success(message="Metadata updated", data=OwnMetadataView),),
            guard=signed_in,
            query=NoQuery,
            body=NewOwnerMetadata,
        ),
    )


def _view(metadata: Metadata) -> OwnMetadataView:
    return OwnMetadataView(owner=metadata.owner, public=metadata.public)
