"""Change of password by somebody who is signed in and knows the current one."""

from collections.abc import Callable

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.common_passwords import refuse_own
from latchkey.auth.errors import CurrentPasswordIncorrect
from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.throttle import Throttle
from latchkey.database.pool import Database
from latchkey.http.authenticate import Principal
from latchkey.mail.notices import PASSWORD_CHANGED
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.errors import AccessTokenInvalid
from latchkey.sessions.opening import SessionOpener
from latchkey.sessions.queries import EndedBy
from latchkey.sessions.tokens import TokenPair
from latchkey.users import email_queries, queries

KnownDevice = Callable[[str], str | None]
"""The id of the device that asks, if it has signed in before to the account with that address."""


class PasswordChanger:
    """Changes passwords."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        hasher: PasswordHasher,
        throttle: Throttle,
        sessions: SessionOpener,
        ender: SessionEnder,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._audit = audit
        self._hasher = hasher
        self._throttle = throttle
        self._sessions = sessions
        self._ender = ender
        self._outbox = outbox

    async def change(
        self, principal: Principal, current: str, new: str, *, known_device: KnownDevice, origin: Origin
    ) -> TokenPair:
        """Sets the new password, ends all sessions of the user, and a change of address that waits for its proof, and
        opens a session for the browser that asked; a notice goes to the account's address.

        Raises ValidationFailed when the new one is the current one, or the account's own name or address;
        CurrentPasswordIncorrect; TooManyAttempts when it comes too soon after wrong ones; and AccessTokenInvalid when
        the password was changed by somebody else meanwhile, which has ended this session too.
        """
        if new == current:
            raise ValidationFailed(FieldError("newPassword", "must differ from the current password"))
        user_id = principal.user_id
        credentials = await queries.credentials_by_id(self._database, user_id)
        if credentials is None:
            raise AccessTokenInvalid
        user, old_hash = credentials.user, credentials.password_hash
        refuse_own(new, user)
        async with self._throttle.guess(user.email, known_device(user.email)) as guess:
            if not await self._hasher.verify(current, old_hash, migrated=credentials.migrated):
                await guess.failed()
                raise CurrentPasswordIncorrect
            await guess.succeeded()
        new_hash = await self._hasher.hash(new)

        async def change_password(change: Change) -> TokenPair:
            user = await queries.replace_password(change.connection, user_id, old_hash, new_hash)
            if user is None:
                raise AccessTokenInvalid
            await email_queries.end_wanted_change(change.connection, user_id)
            await self._ender.end_all(change, user_id, EndedBy.PASSWORD_CHANGE)
            session = await self._sessions.open(change, user_id, origin)
            await self._outbox.add(change, PASSWORD_CHANGED, user.email, origin, user_id=user_id)
            await change.record(
                Event(Action.CHANGE_PASSWORD, user_id, user_id, origin, principal.session_id, changed=("password",))
            )
            return session.pair

        return await self._audit.change(change_password)
