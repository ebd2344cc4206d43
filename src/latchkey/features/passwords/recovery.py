"""Password recovery: a link by mail, and the password that it sets.

A request only writes the typed address to the outbox, so it takes the same time for every address. The outbox worker
looks up the account and makes the token.
"""

from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.email_verification.queries import end_requested_change
from latchkey.features.passwords import queries
from latchkey.features.passwords.actions import PasswordAction
from latchkey.features.passwords.bodies import refuse_own
from latchkey.features.passwords.errors import ResetTokenRefused
from latchkey.features.passwords.mails import PASSWORD_CHANGED_NOTICE, RESET_MAIL
from latchkey.features.passwords.reset_links import RESET_TOKEN_MINUTES, ResetLinks, reset_token_hash
from latchkey.features.sign_in.throttle import Throttle
from latchkey.hashing.hasher import PasswordHasher
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry, Outbox
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.queries import takes_notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Recovers passwords by mailed links."""

    database: Database
    audit: AuditLog
    hasher: PasswordHasher
    throttle: Throttle
    outbox: Outbox
    links: ResetLinks
    ender: SessionEnder

    async def ask(self, email: str, origin: Origin) -> None:
        """Queues a reset link for that address. Does not reveal whether an account has it."""
        await self.outbox.put(RESET_MAIL.name, email, origin)

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the letter of an outbox entry and stores its token.

        None if no account has the address, if its mail limit is reached, or if this link was spent or replaced.
        """
        if entry.token_made:
            link = await self.links.renew(change, entry.tokens)
        elif await self._may_have_another(change, entry.recipient):
            link = await self.links.make(change, entry.recipient, entry.origin, token=entry.tokens[0])
        else:
            link = None
        if link is None:
            return None
        context = {"email": link.email, "name": link.name, "link": link.url, "minutes": str(RESET_TOKEN_MINUTES)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)

    async def _may_have_another(self, change: Change, email: str) -> bool:
        # Locks the user, so that two instances do not both send the last permitted mail of the hour.
        user = await queries.lock_by_email(change.connection, email)
        return user is not None and await self.outbox.may_send_link(change, RESET_MAIL.name, user.id, email)

    async def reset(self, token: str, password: str, origin: Origin) -> None:
        """Sets a new password for the token's user, and ends all their sessions and a pending change of address.

        Also forgets failed logins and notifies the user. Raises ValidationFailed if the password is the account's own
        name or address. Raises ResetTokenRefused for an unknown, used or expired token, before anything is hashed and
        again in the transaction, where one of N parallel uses finds the token.
        """
        user = await queries.find_by_reset_token(self.database, reset_token_hash(token))
        if user is None:
            raise ResetTokenRefused
        refuse_own(password, user)
        password_hash = await self.hasher.hash(password)

        async def reset_password(change: Change) -> None:
            owner = await queries.spend_reset_token(change.connection, reset_token_hash(token), password_hash)
            if owner is None:
                raise ResetTokenRefused
            await end_requested_change(change.connection, owner.id)
            await self.ender.end_all(change, owner.id, EndedBy.PASSWORD_RESET)
            if await takes_notices(change.connection, owner.id):
                await self.outbox.notify(change, PASSWORD_CHANGED_NOTICE.name, owner.email, origin, user_id=owner.id)
            await change.record(Event(PasswordAction.RESET_PASSWORD, owner.id, owner.id, origin, changed=("password",)))

        await self.audit.change(reset_password)
        # The owner can sign in now even while others guess, and on an unknown device, too.
        await self.throttle.forget(user.email)
