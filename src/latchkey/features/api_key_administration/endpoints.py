"""The endpoints /admin/api-keys."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.actor import actor_of
from latchkey.features.api_key_administration.errors import ApiKeyNotFound
from latchkey.features.api_keys.management import ApiKeys, UnknownScopes
from latchkey.features.api_keys.queries import ApiKey
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.no_query import NoQuery
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.users.fields import name

TAG = "Administration"
PATH = "/admin/api-keys"
DAYS_MAX, DAYS_DEFAULT = 3650, 365


def _scopes(value: object) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise PydanticCustomError("scopes", "must be a list of one or more scopes")
    return value


def _days(value: object) -> int | None:
    if value is not None and not (type(value) is int and 1 <= value <= DAYS_MAX):
        raise PydanticCustomError("days", f"must be a whole number from 1 to {DAYS_MAX}, or null")
    return value


class NewApiKey(BaseModel):
    """The body of POST /admin/api-keys. `expiresInDays: null`: the key never expires."""

    name: name(1)  # type: ignore[valid-type]  # a function makes the type
    scopes: Annotated[
        list[str],
        PlainValidator(_scopes, json_schema_input_type=Any),
        WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1, "examples": [["users:read"]]}),
    ]
    expires_in_days: Annotated[
        int | None,
        PlainValidator(_days, json_schema_input_type=Any),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": DAYS_MAX}, {"type": "null"}]}),
    ] = Field(DAYS_DEFAULT, alias="expiresInDays")


class ApiKeyView(BaseModel):
    """An API key, without its secret. `createdBy` is the admin; null: the command line."""

    id: str
    name: str
    scopes: list[str]
    created_by: int | None = Field(serialization_alias="createdBy")
    created_at: datetime = Field(serialization_alias="createdAt")
    expires_at: datetime | None = Field(serialization_alias="expiresAt")
    last_used_at: datetime | None = Field(serialization_alias="lastUsedAt")
    revoked_at: datetime | None = Field(serialization_alias="revokedAt")


class CreatedApiKey(ApiKeyView):
    """A new API key. `key` is shown this once: only its hash is stored."""

    key: str = Field(repr=False)


class ApiKeyPath(BaseModel):
    """An API key's id in a path."""

    id: str


def api_key_endpoints(keys: ApiKeys, access: AdminAccess) -> tuple[Endpoint[Any], ...]:
    """Returns the endpoints that create, list and revoke API keys. They admit admins in a session only."""

    async def create_api_key(call: Call[NewApiKey]) -> Reply:
        body = call.body
        try:
            created = await keys.create(body.name, body.scopes, actor_of(call), expires_in_days=body.expires_in_days)
        except UnknownScopes as unknown:
            raise ValidationFailed(FieldError("scopes", str(unknown))) from None
        return Reply(CreatedApiKey(**dict(_view(created.stored)), key=created.secret))

    async def list_api_keys(_: Call[None]) -> Reply:
        return Reply([_view(key) for key in await keys.list_keys()])

    async def revoke_api_key(call: Call[None]) -> Reply:
        if await keys.revoke(call.params.id, actor_of(call)) is None:
            raise ApiKeyNotFound
        return Reply()

    return (
        Endpoint(
            method="POST",
            path=PATH,
            handler=create_api_key,
            tag=TAG,
            summary="Create an API key for a server",
            description="The answer shows the key, once. Only an admin who has just signed in.",
            success=(Success(message="API key created", status=201, data=CreatedApiKey),),
            guard=access.session_guard(recent=True),
            query=NoQuery,
            body=NewApiKey,
        ),
        Endpoint(
            method="GET",
            path=PATH,
            handler=list_api_keys,
            tag=TAG,
            summary="List API keys",
            description="Newest first, expired and revoked ones included.",
            success=(Success(data=list[ApiKeyView]),),
            guard=access.session_guard(),
            query=NoQuery,
        ),
        Endpoint(
            method="DELETE",
            path=f"{PATH}/{{id}}",
            handler=revoke_api_key,
            tag=TAG,
            summary="Revoke an API key",
            description="Every instance refuses it within two seconds. Only an admin who has just signed in.",
            success=(Success(message="API key revoked"),),
            guard=access.session_guard(recent=True),
            params=ApiKeyPath,
            query=NoQuery,
            failures=(ApiKeyNotFound,),
        ),
    )


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(
        id=key.id,
        name=key.name,
        scopes=key.scopes,
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
