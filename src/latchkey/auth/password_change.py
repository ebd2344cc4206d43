"""Change of password by somebody who is signed in and knows the current one."""

from uuid import UUID

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.hashing import PasswordHasher
from latchkey.database.pool import Database
from latchkey.http.errors import AccessTokenInvalid, CurrentPasswordIncorrect, FieldError, ValidationFailed
from latchkey.http.exchange import Origin
from latchkey.mail.notices import PASSWORD_CHANGED
from latchkey.mail.outbox import Outbox
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.opening import SessionOpener
from latchkey.sessions.queries import EndedBy
from latchkey.sessions.tokens import TokenPair
from latchkey.users import queries


class PasswordChanger:
    """Changes passwords."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        hasher: PasswordHasher,
        sessions: SessionOpener,
        ender: SessionEnder,
        outbox: Outbox,
    ) -> None:
        self._database = database
        self._audit = audit
        self._hasher = hasher
        self._sessions = sessions
        self._ender = ender
        self._outbox = outbox

    async def change(self, user_id: int, session_id: UUID, current: str, new: str, origin: Origin) -> TokenPair:
        """Sets the new password, ends all sessions of the user and opens one for the browser that asked; a notice
        goes to the account's address.

        Raises ValidationFailed when new and current are the same, CurrentPasswordIncorrect, and AccessTokenInvalid
        when the password was changed by somebody else meanwhile, which has ended this session too.
        """
        if new == current:
            raise ValidationFailed(FieldError("newPassword", "must differ from the current password"))
        credentials = await queries.credentials_by_id(self._database, user_id)
        if credentials is None:
            raise AccessTokenInvalid
        old_hash = credentials.password_hash
        if not await self._hasher.verify(current, old_hash, migrated=credentials.migrated):
            raise CurrentPasswordIncorrect
        new_hash = await self._hasher.hash(new)

        async def change_password(change: Change) -> TokenPair:
            user = await queries.replace_password(change.connection, user_id, old_hash, new_hash)
            if user is None:
                raise AccessTokenInvalid
            await self._ender.end_all(change, user_id, EndedBy.PASSWORD_CHANGE)
            session = await self._sessions.open(change, user_id, origin)
            await self._outbox.add(change, PASSWORD_CHANGED, user.email, origin, user_id=user_id)
            await change.record(
                Event(Action.CHANGE_PASSWORD, user_id, user_id, origin, session_id, changed=("password",))
            )
            return session.pair

        return await self._audit.change(change_password)
