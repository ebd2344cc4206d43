"""Recovery: a link by mail, and the password that it sets.

Asking for a link only writes the address, as typed, to the outbox: known or not, it takes the same time. The account
is looked up and the token made when the mail is, by the outbox worker.
"""

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.common_passwords import refuse_own
from latchkey.auth.errors import ResetTokenRefused
from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.reset_links import (
    INVITATION_HOURS,
    INVITATION_MINUTES,
    RESET_TOKEN_MINUTES,
    ResetLinks,
    reset_token_hash,
)
from latchkey.auth.throttle import Throttle
from latchkey.database.pool import Database
from latchkey.mail.message import Letter
from latchkey.mail.notices import PASSWORD_CHANGED
from latchkey.mail.outbox import Entry, Outbox
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users import email_queries, queries

RESET_MAIL = "reset-link"


class Recovery:
    """Password recovery, for whoever reads the mail of an account."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        hasher: PasswordHasher,
        throttle: Throttle,
        outbox: Outbox,
        links: ResetLinks,
        ender: SessionEnder,
    ) -> None:
        self._database = database
        self._audit = audit
        self._hasher = hasher
        self._throttle = throttle
        self._outbox = outbox
        self._links = links
        self._ender = ender

    async def ask(self, email: str, origin: Origin) -> None:
        """Asks for a link to be mailed to whoever has that address; says nothing about whether anybody has."""
        await self._outbox.put(RESET_MAIL, email, origin)

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """The letter of an outbox entry, whose token it makes; None when nobody has that address, has had enough
        mails for now, or has spent this link already or asked for another."""
        if entry.token_made:
            link = await self._links.renew(change, entry.token)
        elif await self._may_have_another(change, entry.recipient):
            link = await self._links.make(change, entry.recipient, entry.origin, token=entry.token)
        else:
            link = None
        if link is None:
            return None
        context = {"email": link.email, "name": link.name, "link": link.url, "minutes": str(RESET_TOKEN_MINUTES)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)

    async def compose_invitation(self, change: Change, entry: Entry) -> Letter | None:
        """The letter to somebody for whom an operator made an account; None when the link in it has been used."""
        if entry.token_made:
            link = await self._links.renew(change, entry.token, minutes=INVITATION_MINUTES)
        else:
            link = await self._links.invite(change, entry.recipient, token=entry.token)
        if link is None:
            return None
        context = {"email": link.email, "link": link.url, "hours": str(INVITATION_HOURS)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)

    async def _may_have_another(self, change: Change, email: str) -> bool:
        # Locked, so that two instances do not both see four.
        user = await queries.lock_by_email(change.connection, email)
        return user is not None and await self._outbox.may_send_link(change, RESET_MAIL, user.id)

    async def reset(self, token: str, password: str, origin: Origin) -> None:
        """Sets a new password, ends all sessions of whoever the token was made for, and a change of address that waits
        for its proof, and forgets failed logins; a notice goes to them.

        Raises ValidationFailed when it is the account's own name or address, and ResetTokenRefused for an unknown,
        used or expired token: before anything is hashed, and again inside the transaction, where of N parallel uses
        exactly one finds it.
        """
        user = await queries.find_by_reset_token(self._database, reset_token_hash(token))
        if user is None:
            raise ResetTokenRefused
        refuse_own(password, user)
        password_hash = await self._hasher.hash(password)

        async def reset_password(change: Change) -> None:
            owner = await queries.spend_reset_token(change.connection, reset_token_hash(token), password_hash)
            if owner is None:
                raise ResetTokenRefused
            await email_queries.end_wanted_change(change.connection, owner.id)
            await self._ender.end_all(change, owner.id, EndedBy.PASSWORD_RESET)
            await self._outbox.add(change, PASSWORD_CHANGED, owner.email, origin, user_id=owner.id)
            await change.record(Event(Action.RESET_PASSWORD, owner.id, owner.id, origin, changed=("password",)))

        await self._audit.change(reset_password)
        # However many guess at the account: its owner may sign in now, on a device that is not known either.
        await self._throttle.forget(user.email)
