"""Changes of users by admins, API keys and operators. Each is one transaction, with its audit row.

The locks are always taken in this order: administrators, rows of users by id, sessions.
"""

from dataclasses import dataclass
from datetime import datetime

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.features.accounts import queries as account_queries
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.chores import ERASE
from latchkey.features.accounts.deletion import delete_any, require_usable_admin
from latchkey.features.accounts.errors import RestoreEmailTaken, UserNotDeleted
from latchkey.features.admin_access.errors import CannotChangeSelf, MailNotConfigured
from latchkey.features.passwords.mails import RESET_MAIL
from latchkey.features.user_administration import queries
from latchkey.features.user_administration.actions import UserAdministrationAction
from latchkey.features.user_administration.errors import DeleteFirst
from latchkey.features.user_administration.queries import HeldUser
from latchkey.http.errors import Forbidden
from latchkey.mail.outbox import Outbox
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import UserNotFound

UNTIL_MUST_BE_FUTURE = "must be in the future"


async def hold_target(
    change: Change, actor: Actor, user_id: int, *, deleted: bool = False, keeps_admins: bool = False
) -> HeldUser:
    """Locks the rows of the actor and of the user to change, and returns the user.

    `deleted`: takes a deleted user, too. `keeps_admins`: takes the lock of administrators first, because the change may
    leave none. Raises UserNotFound, and Forbidden if the actor is no usable admin any more, or a key that would change
    an admin.
    """
    if keeps_admins:
        await account_queries.lock_admins(change.connection)
    ids = {user_id} if actor.user_id is None else {user_id, actor.user_id}
    held = await queries.hold(change.connection, ids)
    if actor.user_id is not None and not (actor.user_id in held and held[actor.user_id].is_usable_admin):
        raise Forbidden
    target = held.get(user_id)
    if target is None or (target.is_deleted and not deleted):
        raise UserNotFound
    if actor.api_key_id is not None and target.role == "admin":
        raise Forbidden
    return target


def require_another(actor: Actor, user_id: int) -> None:
    """Raises CannotChangeSelf if the actor is that user."""
    if actor.user_id == user_id:
        raise CannotChangeSelf


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """Suspends, deletes, restores and erases users, and mails them reset links. `force`: also the last admin."""

    audit: AuditLog
    ender: SessionEnder
    outbox: Outbox
    mail_is_sent: bool

    async def suspend(
        self, user_id: int, reason: str, until: datetime | None, actor: Actor, *, force: bool = False
    ) -> None:
        """Suspends a user until then (None: until it is ended), and ends their sessions.

        Of a suspended user, sets reason and end again. Raises UserNotFound, Forbidden, CannotChangeSelf, LastAdmin, and
        ValidationFailed if `until` has passed.
        """

        async def suspend_user(change: Change) -> None:
            require_another(actor, user_id)
            target = await hold_target(change, actor, user_id, keeps_admins=True)
            if not await queries.suspend(change.connection, user_id, reason, until):
                raise ValidationFailed(FieldError("until", UNTIL_MUST_BE_FUTURE))
            if target.is_usable_admin and not force:
                await require_usable_admin(change)
            await self.ender.end_all(change, user_id, EndedBy.SUSPENSION)
            details = {"reason": reason} | ({"until": until.isoformat()} if until else {})
            await change.record(actor.event(UserAdministrationAction.SUSPEND_USER, user_id, details=details))

        await self.audit.change(suspend_user)

    async def unsuspend(self, user_id: int, actor: Actor) -> None:
        """Ends the suspension of a user. Of a user who is not suspended, changes nothing, and writes no audit row."""

        async def unsuspend_user(change: Change) -> None:
            target = await hold_target(change, actor, user_id)
            if target.is_suspended:
                await queries.unsuspend(change.connection, user_id)
                await change.record(actor.event(UserAdministrationAction.UNSUSPEND_USER, user_id))

        await self.audit.change(unsuspend_user)

    async def delete(self, user_id: int, actor: Actor) -> None:
        """Marks a user as deleted and ends their sessions. Raises as `suspend` does."""

        async def delete_user(change: Change) -> None:
            require_another(actor, user_id)
            await hold_target(change, actor, user_id, keeps_admins=True)
            await delete_any(change, self.ender, user_id, None, force=False)
            await change.record(actor.event(AccountAction.DELETE_USER, user_id))

        await self.audit.change(delete_user)

    async def restore(self, user_id: int, actor: Actor) -> None:
        """Restores a deleted user. Raises UserNotFound, Forbidden, UserNotDeleted and RestoreEmailTaken."""

        async def restore_user(change: Change) -> None:
            target = await hold_target(change, actor, user_id, deleted=True)
            if not target.is_deleted:
                raise UserNotDeleted
            await account_queries.restore(change.connection, user_id, None)
            await change.record(actor.event(AccountAction.RESTORE_USER, user_id))

        with address_conflict(RestoreEmailTaken):
            await self.audit.change(restore_user)

    async def erase(self, user_id: int, actor: Actor) -> None:
        """Erases a deleted user for good. Their audit rows stay, without them as actor.

        Raises UserNotFound, Forbidden, CannotChangeSelf and DeleteFirst.
        """

        async def erase_user(change: Change) -> None:
            require_another(actor, user_id)
            target = await hold_target(change, actor, user_id, deleted=True, keeps_admins=True)
            if not target.is_deleted:
                raise DeleteFirst
            await queries.erase(change.connection, ERASE, user_id)
            await change.record(actor.event(UserAdministrationAction.ERASE_USER, user_id))

        await self.audit.change(erase_user)

    async def mail_reset_link(self, user_id: int, actor: Actor) -> None:
        """Queues a mail with a reset link. At most five an hour are sent. Raises UserNotFound, Forbidden and
        MailNotConfigured."""
        if not self.mail_is_sent:
            raise MailNotConfigured

        async def queue_mail(change: Change) -> None:
            target = await hold_target(change, actor, user_id)
            await self.outbox.add(change, RESET_MAIL.name, target.email.lower(), actor.origin)
            await change.record(actor.event(UserAdministrationAction.RESET_LINK_REQUESTED, user_id))

        await self.audit.change(queue_mail)
