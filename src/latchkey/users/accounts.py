"""What can be done to an account: read, change, delete, restore. One visible transaction a change."""

from math import ceil
from uuid import UUID

import asyncpg

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.http.envelope import PageMeta
from latchkey.http.errors import EmailTaken, RestoreEmailTaken, UserNotDeleted, UserNotFound
from latchkey.http.exchange import Origin
from latchkey.mail.notices import EMAIL_CHANGED
from latchkey.mail.outbox import Outbox
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users import queries
from latchkey.users.schemas import User


class Accounts:
    """The accounts, for the endpoints and the command line alike.

    `actor_id` is who does it and `session_id` by which session; both None: an operator.
    """

    def __init__(self, database: Database, audit: AuditLog, ender: SessionEnder, outbox: Outbox) -> None:
        self._database = database
        self._audit = audit
        self._ender = ender
        self._outbox = outbox

    async def get(self, user_id: int) -> User:
        """A user. Raises UserNotFound for unknown and deleted ones."""
        user = await queries.find(self._database, user_id)
        if user is None:
            raise UserNotFound
        return user

    async def page(self, page: int, limit: int) -> tuple[list[User], PageMeta]:
        """Page `page` (from 1) of `limit` users, newest id first; empty past the end."""
        users, total = await queries.page(self._database, limit=limit, offset=(page - 1) * limit)
        return users, PageMeta(page=page, limit=limit, total=total, total_pages=ceil(total / limit))

    async def update(
        self, user_id: int, *, name: str | None, email: str | None, origin: Origin, session_id: UUID
    ) -> User:
        """Sets what is not None. A change that changes no value writes nothing, no audit row either; one of the
        address is told to the old one.

        Raises UserNotFound, and EmailTaken when a live user has that address.
        """

        async def change_user(change: Change) -> User:
            user = await queries.lock(change.connection, user_id)
            if user is None:
                raise UserNotFound
            new_name = user.name if name is None else name
            new_email = user.email if email is None else email
            changed = tuple(
                column
                for column, differs in (("name", new_name != user.name), ("email", new_email != user.email))
                if differs
            )
            if not changed:
                return user
            updated = await queries.update(
                change.connection, user_id, new_name, new_email, email_changed="email" in changed
            )
            # In another case it is the same mailbox; addresses of the original may have capitals.
            if new_email.lower() != user.email.lower():
                await self._outbox.add(change, EMAIL_CHANGED, user.email, origin, user_id=user_id)
            await change.record(Event(Action.UPDATE_USER, user_id, user_id, origin, session_id, changed))
            return updated

        try:
            return await self._audit.change(change_user)
        except asyncpg.UniqueViolationError:
            raise EmailTaken from None

    async def delete(self, user_id: int, *, actor_id: int | None, session_id: UUID | None, origin: Origin) -> User:
        """Marks a user as deleted and ends all of their sessions. Raises UserNotFound."""

        async def delete_user(change: Change) -> User:
            user = await queries.delete(change.connection, user_id, session_id)
            if user is None:
                raise UserNotFound
            await self._ender.end_all(change, user_id, EndedBy.DELETION)
            await change.record(Event(Action.DELETE_USER, actor_id, user_id, origin, session_id))
            return user

        return await self._audit.change(delete_user)

    async def restore(self, user_id: int, *, actor_id: int | None, session_id: UUID | None, origin: Origin) -> User:
        """Undoes a deletion; no session comes back to life.

        Raises UserNotDeleted when there is nothing to undo, RestoreEmailTaken when the address is in use again.
        """

        async def restore_user(change: Change) -> User:
            user = await queries.restore(change.connection, user_id, session_id)
            if user is None:
                raise UserNotDeleted
            await change.record(Event(Action.RESTORE_USER, actor_id, user_id, origin, session_id))
            return user

        try:
            return await self._audit.change(restore_user)
        except asyncpg.UniqueViolationError:
            raise RestoreEmailTaken from None
