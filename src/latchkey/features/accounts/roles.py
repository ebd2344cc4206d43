"""Changes the role of a user. An installation that has a usable administrator keeps one."""

from dataclasses import dataclass
from enum import StrEnum

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.features.accounts import queries
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.errors import LastAdmin
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.errors import UserNotFound


class Role(StrEnum):
    """What a user may do in Latchkey: only an administrator may do more than work on their own account."""

    USER = "user"
    ADMIN = "admin"


async def require_usable_admin(change: Change) -> None:
    """Raises LastAdmin if the change, whose transaction has the lock of administrators, leaves no usable one."""
    if not await queries.has_usable_admin(change.connection):
        raise LastAdmin


@dataclass(frozen=True, slots=True)
class Roles:
    """Changes roles."""

    audit: AuditLog
    ender: SessionEnder

    async def set(self, user_id: int, role: Role, *, origin: Origin, force: bool) -> None:
        """Sets the role of a live user, and ends all their sessions.

        Writes nothing, and no audit row, if it is their role already. Raises UserNotFound, and LastAdmin unless
        `force`.
        """

        async def set_role(change: Change) -> None:
            # Only then may the change leave no administrator.
            if role is not Role.ADMIN:
                await queries.lock_admins(change.connection)
            held = await queries.lock_role(change.connection, user_id)
            if held is None:
                raise UserNotFound
            if held.role == role:
                return
            await queries.set_role(change.connection, user_id, role)
            if held.role == Role.ADMIN and not held.is_suspended and not force:
                await require_usable_admin(change)
            await self.ender.end_all(change, user_id, EndedBy.ROLE_CHANGE)
            await change.record(Event(AccountAction.UPDATE_USER, None, user_id, origin, changed=("role",)))

        await self.audit.change(set_role)
