"""Recovery: a link by mail, and the password that it sets.

Asking for a link only writes the address, as typed, to the outbox: known or not, it takes the same time. The account
is looked up and the token made when the mail is, by the outbox worker.
"""

from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.email_verification.queries import end_requested_change
from latchkey.features.passwords import queries
from latchkey.features.passwords.actions import PasswordAction
from latchkey.features.passwords.errors import ResetTokenRefused
from latchkey.features.passwords.mails import PASSWORD_CHANGED_NOTICE, RESET_MAIL
from latchkey.features.passwords.reset_links import RESET_TOKEN_MINUTES, ResetLinks, reset_token_hash
from latchkey.features.sign_in.throttle import Throttle
from latchkey.hashing.common_passwords import refuse_own
from latchkey.hashing.hasher import PasswordHasher
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry, Outbox
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.queries import takes_notices


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Password recovery, for whoever reads the mail of an account."""

    database: Database
    audit: AuditLog
    hasher: PasswordHasher
    throttle: Throttle
    outbox: Outbox
    links: ResetLinks
    ender: SessionEnder

    async def ask(self, email: str, origin: Origin) -> None:
        """Asks for a link to be mailed to whoever has that address; says nothing about whether anybody has."""
        await self.outbox.put(RESET_MAIL.name, email, origin)

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """The letter of an outbox entry, whose token it makes; None when nobody has that address, has had enough
        mails for now, or has spent this link already or asked for another."""
        if entry.token_made:
            link = await self.links.renew(change, entry.token)
        elif await self._may_have_another(change, entry.recipient):
            link = await self.links.make(change, entry.recipient, entry.origin, token=entry.token)
        else:
            link = None
        if link is None:
            return None
        context = {"email": link.email, "name": link.name, "link": link.url, "minutes": str(RESET_TOKEN_MINUTES)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)

    async def _may_have_another(self, change: Change, email: str) -> bool:
        # Locked, so that two instances do not both see four.
        user = await queries.lock_by_email(change.connection, email)
        return user is not None and await self.outbox.may_send_link(change, RESET_MAIL.name, user.id, email)

    async def reset(self, token: str, password: str, origin: Origin) -> None:
        """Sets a new password, ends all sessions of whoever the token was made for, and a change of address that waits
        for its proof, and forgets failed logins; a notice goes to them.

        Raises ValidationFailed when it is the account's own name or address, and ResetTokenRefused for an unknown,
        used or expired token: before anything is hashed, and again inside the transaction, where of N parallel uses
        exactly one finds it.
        """
        user = await queries.find_by_reset_token(self.database, reset_token_hash(token))
        if user is None:
            raise ResetTokenRefused
        refuse_own(password, user.name, user.email)
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
        # However many guess at the account: its owner may sign in now, on a device that is not known either.
        await self.throttle.forget(user.email)
