"""What can be done to an account: read, change, delete, restore. One visible transaction a change."""

from functools import partial
from math import ceil
from uuid import UUID

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.http.envelope import PageMeta
from latchkey.mail.notices import EMAIL_CHANGED
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users import email_queries, queries
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken, RestoreEmailTaken, UserNotDeleted, UserNotFound
from latchkey.users.schemas import User

VERIFY_MAIL = "verify-email"
CONFIRM_MAIL = "confirm-email"


class Accounts:
    """The accounts, for the endpoints and the command line alike.

    `actor_id` is who does it and `session_id` by which session; both None: an operator.
    """

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        ender: SessionEnder,
        outbox: Outbox,
        *,
        confirm_email_change: bool,
        require_verified_email: bool,
    ) -> None:
        self._database = database
        self._by_id = BatchedReads(partial(queries.find_many, database))
        self._audit = audit
        self._ender = ender
        self._outbox = outbox
        self._confirm_email_change = confirm_email_change
        self._require_verified_email = require_verified_email

    async def get(self, user_id: int) -> User:
        """A user. Raises UserNotFound for unknown and deleted ones."""
        user = await self._by_id.read(user_id)
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
        address is told to the old one, or, with CONFIRM_EMAIL_CHANGE, waits until the new one is proved.

        Raises UserNotFound, and EmailTaken when a live user has that address.
        """

        async def change_user(change: Change) -> User:
            user = await queries.lock(change.connection, user_id)
            if user is None:
                raise UserNotFound
            new_name = user.name if name is None else name
            new_email = user.email if email is None else email
            wanted = new_email if self._confirm_email_change and new_email.lower() != user.email.lower() else None
            if wanted is not None:
                new_email = user.email
                await self._want_email(change, user, wanted, origin)
            changed = tuple(
                column
                for column, differs in (("name", new_name != user.name), ("email", new_email != user.email))
                if differs
            )
            if not changed and wanted is None:
                return user
            updated = user if not changed else await self._set(change, user, new_name, new_email, origin)
            details = {"requested": ["email"]} if wanted else {}
            await change.record(Event(Action.UPDATE_USER, user_id, user_id, origin, session_id, changed, details))
            return updated

        with address_conflict(EmailTaken):
            return await self._audit.change(change_user)

    async def change_email(self, change: Change, user: User, email: str, origin: Origin) -> None:
        """Sets a new address of a user whose row `change` has locked, and tells the old one.

        Raises asyncpg.UniqueViolationError when a live user has that address.
        """
        await self._set(change, user, user.name, email, origin)

    async def _set(self, change: Change, user: User, name: str, email: str, origin: Origin) -> User:
        # In another case it is the same mailbox; addresses of the original may have capitals.
        email_changed = email.lower() != user.email.lower()
        updated = await queries.update(change.connection, user.id, name, email, email_changed=email_changed)
        if email_changed:
            await email_queries.end_tokens(change.connection, user.id)
            await self._outbox.add(change, EMAIL_CHANGED, user.email, origin, user_id=user.id)
            if self._require_verified_email:
                await self._outbox.add(change, VERIFY_MAIL, email, origin)
        return updated

    async def _want_email(self, change: Change, user: User, email: str, origin: Origin) -> None:
        if await email_queries.is_taken(change.connection, email):
            raise EmailTaken
        await email_queries.want_change(change.connection, user.id, email)
        await self._outbox.add(change, CONFIRM_MAIL, email, origin, user_id=user.id)

    async def delete(self, user_id: int, *, actor_id: int | None, session_id: UUID | None, origin: Origin) -> User:
        """Marks a user as deleted and ends all of their sessions. Raises UserNotFound."""

        async def delete_user(change: Change) -> User:
            user = await queries.delete(change.connection, user_id, session_id)
            if user is None:
                raise UserNotFound
            await email_queries.end_tokens(change.connection, user_id)
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

        with address_conflict(RestoreEmailTaken):
            return await self._audit.change(restore_user)
