"""The /users endpoints."""

from typing import Any

from latchkey.features.accounts import bodies
from latchkey.features.accounts.bodies import PageQuery, UserChanges, UserReplacement
from latchkey.features.accounts.errors import (
    LastAdmin,
    NothingToUpdate,
    RestoreEmailTaken,
    UserNotDeleted,
    UsersNotListed,
)
from latchkey.features.accounts.service import Accounts
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Forbidden
from latchkey.http.page_meta import PageMeta
from latchkey.sessions.endpoints import own_actor
from latchkey.sessions.guard import Guards
from latchkey.users.errors import EmailTaken, UserNotFound
from latchkey.users.user import User, UserPath

TAG = "Users"


def _own_id(params: UserPath) -> int:
    return params.id


def user_endpoints(accounts: Accounts, guards: Guards, *, everybody: bool, name_min: int) -> list[Endpoint[Any]]:
    """Returns the six /users endpoints of node-api-postgres.

    PUT, PATCH, DELETE and restore work on the caller's own id only. Unless `everybody`, reading does too.
    """

    async def list_users(call: Call[None]) -> Reply:
        users, meta = await accounts.page(call.query.page, call.query.limit)
        return Reply(users, meta)

    async def get_user(call: Call[None]) -> Reply:
        return Reply(await accounts.get(call.params.id))

    async def update(call: Call[UserReplacement] | Call[UserChanges]) -> Reply:
        return Reply(await accounts.update(call.params.id, own_actor(call), name=call.body.name, email=call.body.email))

    async def replace_user(call: Call[UserReplacement]) -> Reply:
        return await update(call)

    async def change_user(call: Call[UserChanges]) -> Reply:
        if not call.body.model_fields_set:
            raise NothingToUpdate
        return await update(call)

    async def delete_user(call: Call[None]) -> Reply:
        return Reply(await accounts.delete(call.params.id, own_actor(call)))

    async def restore_user(call: Call[None]) -> Reply:
        return Reply(await accounts.restore(call.params.id, own_actor(call)))

    return [
        Endpoint(
            method="GET",
            path="/users",
            handler=list_users,
            tag=TAG,
            summary="List users, newest first",
            description="A page past the end returns an empty list and the correct `meta`.",
            success=(Success(data=list[User], meta=PageMeta, schema_name="PaginatedUsersResponse"),),
            guard=guards.signed_in,
            query=PageQuery,
            refused=None if everybody else UsersNotListed,
        ),
        Endpoint(
            method="GET",
            path="/users/{id}",
            handler=get_user,
            tag=TAG,
            summary="Get one user",
            success=(Success(data=User),),
            guard=guards.signed_in,
            params=UserPath,
            self_only=None if everybody else _own_id,
            failures=(UserNotFound,) if everybody else (Forbidden, UserNotFound),
        ),
        Endpoint(
            method="PUT",
            path="/users/{id}",
            handler=replace_user,
            tag=TAG,
            summary="Replace your own name and e-mail address",
            description=(
                "A request that changes no value gets 200 and writes nothing. A new address ends a pending reset link."
            ),
            success=(Success(message="User fully updated", data=User),),
            guard=guards.signed_in,
            params=UserPath,
            self_only=_own_id,
            body=bodies.user_replacement(name_min),
            failures=(Forbidden, UserNotFound, EmailTaken),
        ),
        Endpoint(
            method="PATCH",
            path="/users/{id}",
            handler=change_user,
            tag=TAG,
            summary="Change your own name or e-mail address",
            description="At least one field is required. A request that changes no value gets 200 and writes nothing.",
            success=(Success(message="User partially updated", data=User),),
            guard=guards.signed_in,
            params=UserPath,
            self_only=_own_id,
            body=bodies.user_changes(name_min),
            failures=(NothingToUpdate, Forbidden, UserNotFound, EmailTaken),
        ),
        Endpoint(
            method="DELETE",
            path="/users/{id}",
            handler=delete_user,
            tag=TAG,
            summary="Delete your own account",
            description=(
                "Ends all your sessions. This session can restore the account until its access token expires."
                " Later, only an operator can. The last admin cannot delete their account."
            ),
            success=(Success(message="User deleted successfully", data=User),),
            guard=guards.signed_in,
            params=UserPath,
            self_only=_own_id,
            failures=(Forbidden, UserNotFound, LastAdmin),
        ),
        Endpoint(
            method="PATCH",
            path="/users/{id}/restore",
            handler=restore_user,
            tag=TAG,
            summary="Restore the account that this session deleted",
            description="Takes the access token that deleted the account, until it expires. Then sign in again.",
            success=(Success(message="User restored successfully", data=User),),
            guard=guards.signed_in_or_deleting,
            params=UserPath,
            self_only=_own_id,
            failures=(Forbidden, UserNotFound, UserNotDeleted, RestoreEmailTaken),
        ),
    ]
