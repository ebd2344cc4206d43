"""Change of password by a signed-in user who knows the current one."""

from collections.abc import Callable
from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.email_verification.queries import end_requested_change
from latchkey.features.passwords import queries
from latchkey.features.passwords.actions import PasswordAction
from latchkey.features.passwords.bodies import refuse_own
from latchkey.features.passwords.errors import CurrentPasswordIncorrect
from latchkey.features.passwords.mails import PASSWORD_CHANGED_NOTICE
from latchkey.features.sign_in.door import Door
from latchkey.features.sign_in.queries import credentials_by_id
from latchkey.features.sign_in.throttle import Throttle
from latchkey.hashing.hasher import PasswordHasher
from latchkey.http.authenticate import Principal
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.sessions.devices import name_device
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.errors import AccessTokenInvalid
from latchkey.sessions.queries import EndedBy
from latchkey.sessions.tokens import TokenPair
from latchkey.users.queries import takes_notices

RecogniseDevice = Callable[[str, int], str | None]
"""The id of the requesting device, if it has signed in to the account with credentials of that generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanger:
    database: Database
    audit: AuditLog
    hasher: PasswordHasher
    throttle: Throttle
    door: Door
    ender: SessionEnder
    outbox: Outbox

    async def change(
        self,
        principal: Principal,
        current: str,
        new: str,
        *,
        recognise_device: RecogniseDevice,
        remember: bool,
        origin: Origin,
    ) -> TokenPair:
        """Sets the new password, ends all sessions of the user and a pending change of address, and opens a new
        session. `remember`: a browser keeps the new cookies when it closes.

        Notifies the account's address. Raises ValidationFailed if the new password is the current one, or the account's
        own name or address. Raises CurrentPasswordIncorrect, TooManyAttempts if it comes too soon after wrong ones, and
        AccessTokenInvalid if another request changed the password meanwhile, which has ended this session, too.
        """
        if new == current:
            raise ValidationFailed(FieldError("newPassword", "must differ from the current password"))
        user_id = principal.user_id
        credentials = await credentials_by_id(self.database, user_id)
        if credentials is None:
            raise AccessTokenInvalid
        user, old_hash = credentials.user, credentials.password_hash
        refuse_own(new, user)
        async with self.throttle.attempt(user.email, recognise_device(user.email, credentials.generation)) as attempt:
            if not await self.hasher.verify(current, old_hash, migrated=credentials.migrated):
                await attempt.failed()
                raise CurrentPasswordIncorrect
            await attempt.succeeded()
        new_hash = await self.hasher.hash(new)
        device = await name_device(origin.user_agent)

        async def change_password(change: Change) -> TokenPair:
            replaced = await queries.replace_password(change.connection, user_id, old_hash, new_hash)
            if replaced is None:
                raise AccessTokenInvalid
            user, standing = replaced
            await end_requested_change(change.connection, user_id)
            await self.ender.end_all(change, user_id, EndedBy.PASSWORD_CHANGE)
            pair = await self.door.reopen(change, principal, standing, origin, remember=remember, device=device)
            if await takes_notices(change.connection, user_id):
                await self.outbox.notify(change, PASSWORD_CHANGED_NOTICE.name, user.email, origin, user_id=user_id)
            await change.record(
                Event(
                    PasswordAction.CHANGE_PASSWORD,
                    user_id,
                    user_id,
                    origin,
                    principal.session_id,
                    changed=("password",),
                )
            )
            return pair

        return await self.audit.change(change_password)
