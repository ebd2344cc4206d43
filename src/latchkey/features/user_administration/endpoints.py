"""The endpoints /admin/users."""

from dataclasses import dataclass
from typing import Any

from latchkey.features.accounts.errors import LastAdmin, NothingToUpdate, RestoreEmailTaken, UserNotDeleted
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.actor import actor_of
from latchkey.features.admin_access.errors import CannotChangeSelf, MailNotConfigured
from latchkey.features.registration.registration import AccountCreation
from latchkey.features.user_administration import bodies
from latchkey.features.user_administration.bodies import AdminChanges, NewUser, Suspension
from latchkey.features.user_administration.changes import UserChanges
from latchkey.features.user_administration.errors import DeleteFirst
from latchkey.features.user_administration.list_query import UsersMeta, UsersQuery
from latchkey.features.user_administration.reading import UserReader
from latchkey.features.user_administration.scopes import UsersScope
from latchkey.features.user_administration.search import Page
from latchkey.features.user_administration.update import UserUpdate, Wanted
from latchkey.features.user_administration.views import AdminUser, AdminUserDetail
from latchkey.http.authenticate import ApiKey
from latchkey.http.bound_cursors import BoundCursors
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Forbidden
from latchkey.http.no_query import NoQuery
from latchkey.sessions.errors import ReauthenticationRequired
from latchkey.users.errors import EmailTaken, UserNotFound
from latchkey.users.user import UserPath

TAG = "Administration"
PATH = "/admin/users"
ONE = "/admin/users/{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEndpoints:
    """Makes the endpoints."""

    access: AdminAccess
    reader: UserReader
    changes: UserChanges
    update: UserUpdate
    creation: AccountCreation
    cursors: BoundCursors
    password_min: int
    name_min: int

    def all(self) -> tuple[Endpoint[Any], ...]:
        """Returns the endpoints that read and change users."""
        return (
            self._list(),
            self._get(),
            self._create(),
            self._update(),
            self._suspend(),
            self._unsuspend(),
            self._delete(),
            self._restore(),
            self._erase(),
            self._reset_mail(),
        )

    async def _shown(self, call: Call[Any]) -> Reply:
        return Reply(await self.reader.get(call.params.id))

    def _list(self) -> Endpoint[Any]:
        async def search_users(call: Call[None]) -> Reply:
            query: UsersQuery = call.query
            search = query.search()
            after = self.cursors.read(search.about, query.cursor) if query.cursor else None
            users, following = await self.reader.page(search, Page(query.limit, after))
            total = None if search.has_filters else await self.reader.count()
            following_cursor = self.cursors.write(search.about, following) if following else None
            return Reply(users, UsersMeta(limit=query.limit, next_cursor=following_cursor, total=total))

        return Endpoint(
            method="GET",
            path=PATH,
            handler=search_users,
            tag=TAG,
            summary="Search users",
            description=(
                "All filters that are given must hold. `q` finds beginnings of words in names and addresses. A cursor"
                " holds for the same sort and filters."
            ),
            success=(Success(data=list[AdminUser], meta=UsersMeta),),
            guard=self.access.guard(UsersScope.READ),
            query=UsersQuery,
        )

    def _get(self) -> Endpoint[Any]:
        async def show_user(call: Call[None]) -> Reply:
            return await self._shown(call)

        return Endpoint(
            method="GET",
            path=ONE,
            handler=show_user,
            tag=TAG,
            summary="Show one user, deleted or not",
            success=(Success(data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.READ),
            params=UserPath,
            query=NoQuery,
            failures=(UserNotFound,),
        )

    def _create(self) -> Endpoint[Any]:
        async def create_user(call: Call[NewUser]) -> Reply:
            body = call.body
            body.check_whole()
            if body.invite and not self.changes.mail_is_sent:
                raise MailNotConfigured
            user = await self.creation.create(
                body.name, body.email, body.password, actor_of(call), verified=bool(body.verified)
            )
            return Reply(await self.reader.get(user.id))

        return Endpoint(
            method="POST",
            path=PATH,
            handler=create_user,
            tag=TAG,
            summary="Create or invite a user",
            description="With `invite: true`, the user gets a mail with a link to choose a password.",
            success=(Success(message="User created", status=201, data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            query=NoQuery,
            body=bodies.new_user(password_min=self.password_min, name_min=self.name_min),
            failures=(EmailTaken, MailNotConfigured),
        )

    def _update(self) -> Endpoint[Any]:
        async def update_user(call: Call[AdminChanges]) -> Reply:
            body, given = call.body, call.body.model_fields_set
            if not given:
                raise NothingToUpdate
            if "role" in given:
                # A stolen key must not make admins, and neither must a session that somebody left open.
                if isinstance(call.principal, ApiKey):
                    raise Forbidden
                await self.access.require_recent(call.signed_in)
            wanted = Wanted(
                name=body.name,
                email=body.email,
                verified=body.verified,
                public=body.metadata.public,
                private=body.metadata.private,
                token_claims=body.token_claims,
                sets_claims="token_claims" in given,
                role=body.role,
            )
            await self.update.update(call.params.id, wanted, actor_of(call))
            return await self._shown(call)

        return Endpoint(
            method="PATCH",
            path=ONE,
            handler=update_user,
            tag=TAG,
            summary="Change a user",
            description=(
                "A request that changes no value gets 200 and writes nothing. Only an admin who has just signed in sets"
                " a `role`; another role ends the user's sessions."
            ),
            success=(Success(message="User updated", data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            body=bodies.admin_changes(self.name_min),
            failures=(
                NothingToUpdate,
                Forbidden,
                ReauthenticationRequired,
                UserNotFound,
                EmailTaken,
                CannotChangeSelf,
                LastAdmin,
            ),
        )

    def _suspend(self) -> Endpoint[Any]:
        async def suspend_user(call: Call[Suspension]) -> Reply:
            await self.changes.suspend(call.params.id, call.body.reason, call.body.until, actor_of(call))
            return await self._shown(call)

        return Endpoint(
            method="POST",
            path=f"{ONE}/suspend",
            handler=suspend_user,
            tag=TAG,
            summary="Suspend a user",
            description=(
                "Ends their sessions at once; a right password then gets 403. Of a suspended user, sets reason and end"
                " again."
            ),
            success=(Success(message="User suspended", data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            body=Suspension,
            failures=(Forbidden, UserNotFound, CannotChangeSelf, LastAdmin),
        )

    def _unsuspend(self) -> Endpoint[Any]:
        async def unsuspend_user(call: Call[None]) -> Reply:
            await self.changes.unsuspend(call.params.id, actor_of(call))
            return await self._shown(call)

        return Endpoint(
            method="POST",
            path=f"{ONE}/unsuspend",
            handler=unsuspend_user,
            tag=TAG,
            summary="End a suspension",
            success=(Success(message="User unsuspended", data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound),
        )

    def _delete(self) -> Endpoint[Any]:
        async def remove_user(call: Call[None]) -> Reply:
            await self.changes.delete(call.params.id, actor_of(call))
            return await self._shown(call)

        return Endpoint(
            method="DELETE",
            path=ONE,
            handler=remove_user,
            tag=TAG,
            summary="Delete a user",
            description="Ends their sessions. An admin can restore the account.",
            success=(Success(message="User deleted successfully", data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound, CannotChangeSelf, LastAdmin),
        )

    def _restore(self) -> Endpoint[Any]:
        async def restore_deleted_user(call: Call[None]) -> Reply:
            await self.changes.restore(call.params.id, actor_of(call))
            return await self._shown(call)

        return Endpoint(
            method="POST",
            path=f"{ONE}/restore",
            handler=restore_deleted_user,
            tag=TAG,
            summary="Restore a deleted user",
            success=(Success(message="User restored successfully", data=AdminUserDetail),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound, UserNotDeleted, RestoreEmailTaken),
        )

    def _erase(self) -> Endpoint[Any]:
        async def erase_user(call: Call[None]) -> Reply:
            await self.changes.erase(call.params.id, actor_of(call))
            return Reply()

        return Endpoint(
            method="POST",
            path=f"{ONE}/erase",
            handler=erase_user,
            tag=TAG,
            summary="Erase a deleted user for good",
            description="Nothing brings the account back. Its audit rows stay. Only an admin who has just signed in.",
            success=(Success(message="User erased"),),
            guard=self.access.session_guard(recent=True),
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound, CannotChangeSelf, DeleteFirst),
        )

    def _reset_mail(self) -> Endpoint[Any]:
        async def mail_reset_link(call: Call[None]) -> Reply:
            await self.changes.mail_reset_link(call.params.id, actor_of(call))
            return Reply()

        return Endpoint(
            method="POST",
            path=f"{ONE}/reset-mail",
            handler=mail_reset_link,
            tag=TAG,
            summary="Mail a user a reset link",
            description="At most five an hour are sent.",
            success=(Success(message="Reset link sent"),),
            guard=self.access.guard(UsersScope.WRITE),
            params=UserPath,
            query=NoQuery,
            failures=(Forbidden, UserNotFound, MailNotConfigured),
        )
