"""Opens sessions in which an admin acts for a user."""

from dataclasses import dataclass

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.features.impersonation.actions import ImpersonationAction
from latchkey.features.sign_in.door import Door, record_replaced
from latchkey.features.user_administration.changes import hold_target, require_another
from latchkey.http.errors import Forbidden
from latchkey.sessions.devices import name_device
from latchkey.sessions.queries import ProvenSessions
from latchkey.sessions.standing import Acting, Standing
from latchkey.sessions.tokens import TokenPair
from latchkey.users.role import Role
from latchkey.users.user import User

SECONDS = 30 * 60


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Lets admins act for users."""

    audit: AuditLog
    door: Door

    async def begin(self, user_id: int, reason: str, actor: Actor, replaces: ProvenSessions) -> tuple[User, TokenPair]:
        """Ends the admin's session `replaces`, and opens one of the user for at most 30 minutes.

        Raises UserNotFound, CannotChangeSelf, and Forbidden for an admin or a suspended user.
        """
        admin_id = actor.user_id
        assert admin_id is not None, "the guard admits admins in a session only"
        device = await name_device(actor.origin.user_agent)

        async def open_session(change: Change) -> tuple[User, TokenPair]:
            require_another(actor, user_id)
            held = await hold_target(change, actor, user_id)
            if held.role == Role.ADMIN or held.is_suspended:
                raise Forbidden
            user = User(id=held.id, name=held.name, email=held.email)
            standing = Standing(is_suspended=False, role=held.role, app=held.token_claims)
            pair, ended = await self.door.impersonate(
                change, user, standing, Acting(admin_id, SECONDS), replaces, actor.origin, device=device
            )
            await change.record(actor.event(ImpersonationAction.IMPERSONATE, user_id, details={"reason": reason}))
            await record_replaced(change, ended, actor)
            return user, pair

        return await self.audit.change(open_session)
