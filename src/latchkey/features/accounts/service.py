"""Reads, changes, deletes and restores accounts. Each change is one visible transaction."""

from functools import partial
from math import ceil

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.features.accounts import queries
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.deletion import delete_any, finish_deletion
from latchkey.features.accounts.errors import RestoreEmailTaken, UserNotDeleted
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.http.page_meta import PageMeta
from latchkey.sessions.ending import SessionEnder
from latchkey.users import queries as user_queries
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken, UserNotFound
from latchkey.users.user import User


class Accounts:
    """Works on accounts, for their users and for the command line."""

    def __init__(self, database: Database, audit: AuditLog, ender: SessionEnder, address_change: AddressChange) -> None:
        self._database = database
        self._by_id = BatchedReads(partial(queries.find_many, database))
        self._audit = audit
        self._ender = ender
        self._address_change = address_change

    async def get(self, user_id: int) -> User:
        """Returns a live user. Raises UserNotFound for an unknown or deleted id."""
        user = await self._by_id.read(user_id)
        if user is None:
            raise UserNotFound
        return user

    async def page(self, page: int, limit: int) -> tuple[list[User], PageMeta]:
        """Returns page `page` (from 1) of `limit` users, newest id first. A page past the end is empty."""
        users, total = await queries.page(self._database, limit=limit, offset=(page - 1) * limit)
        return users, PageMeta(page=page, limit=limit, total=total, total_pages=ceil(total / limit))

    async def update(self, user_id: int, actor: Actor, *, name: str | None, email: str | None) -> User:
        """Sets the values that are not None, and returns the user.

        Writes nothing, and no audit row, if no value changes. Notifies the old address of a new one. With
        CONFIRM_EMAIL_CHANGE, the address changes only when the new one is verified. Raises UserNotFound, and EmailTaken
        when a live user has that address.
        """

        async def change_user(change: Change) -> User:
            user = await user_queries.lock(change.connection, user_id)
            if user is None:
                raise UserNotFound
            new_name = user.name if name is None else name
            new_email = user.email if email is None else email
            requested = None
            if self._address_change.must_be_confirmed and new_email.lower() != user.email.lower():
                requested, new_email = new_email, user.email
                await self._address_change.request(change, user, requested, actor.origin)
            changed = tuple(
                column
                for column, differs in (("name", new_name != user.name), ("email", new_email != user.email))
                if differs
            )
            if not changed and requested is None:
                return user
            updated = user
            if changed:
                updated = await self._address_change.set(
                    change, user, name=new_name, email=new_email, origin=actor.origin
                )
            details = {"requested": ["email"]} if requested else {}
            await change.record(actor.event(AccountAction.UPDATE_USER, user_id, changed=changed, details=details))
            return updated

        with address_conflict(EmailTaken):
            return await self._audit.change(change_user)

    async def delete(self, user_id: int, actor: Actor, *, force: bool = False) -> User:
        """Marks a user as deleted and ends all their sessions.

        Raises UserNotFound, and LastAdmin unless `force`.
        """

        async def delete_user(change: Change) -> User:
            user = await queries.delete(change.connection, user_id, actor.session_id)
            if user is not None:
                await finish_deletion(change, self._ender, user_id)
            else:
                # An administrator costs more: two of them may delete their accounts at the same time.
                await queries.lock_admins(change.connection)
                user = await delete_any(change, self._ender, user_id, actor.session_id, force=force)
            await change.record(actor.event(AccountAction.DELETE_USER, user_id))
            return user

        return await self._audit.change(delete_user)

    async def restore(self, user_id: int, actor: Actor) -> User:
        """Restores a deleted user. Ended sessions stay ended.

        A user restores only the account that this session of theirs deleted. Raises UserNotDeleted if the user is not
        deleted, RestoreEmailTaken if a live user has the address.
        """

        async def restore_user(change: Change) -> User:
            user = await queries.restore(change.connection, user_id, actor.session_id)
            if user is None:
                raise UserNotDeleted
            await change.record(actor.event(AccountAction.RESTORE_USER, user_id))
            return user

        with address_conflict(RestoreEmailTaken):
            return await self._audit.change(restore_user)
