"""Recovery: a link by mail, and the password that it sets.

Asking for a link only writes the address, as typed, to the outbox: known or not, it takes the same time. The account
is looked up and the token made when the mail is, by the outbox worker.
"""

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.common_passwords import refuse_own
from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.reset_links import RESET_TOKEN_MINUTES, ResetLinks, reset_token_hash
from latchkey.auth.throttle import Throttle
from latchkey.database.pool import Database
from latchkey.http.errors import ResetTokenRefused
from latchkey.http.exchange import Origin
from latchkey.mail.message import Mail
from latchkey.mail.outbox import Entry, Outbox
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users import queries

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

    async def compose(self, change: Change, entry: Entry) -> Mail | None:
        """The mail of an outbox entry, whose token it makes; None when nobody has that address."""
        link = await self._links.make(change, entry.recipient, entry.origin)
        if link is None:
            return None
        return Mail(
            to=link.email,
            subject="Reset your password",
            text=(
                f"Somebody, probably you, asked to reset the password of this account.\n\n{link.url}\n\n"
                f"The link works once, for {RESET_TOKEN_MINUTES} minutes."
                " If it was not you, do nothing: your password stays."
            ),
        )

    async def reset(self, token: str, password: str, origin: Origin) -> None:
        """Sets a new password, ends all sessions of whoever the token was made for, and forgets failed logins.

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
            user_id = await queries.spend_reset_token(change.connection, reset_token_hash(token), password_hash)
            if user_id is None:
                raise ResetTokenRefused
            await self._ender.end_all(change, user_id, EndedBy.PASSWORD_RESET)
            await change.record(Event(Action.RESET_PASSWORD, user_id, user_id, origin, changed=("password",)))

        await self._audit.change(reset_password)
        # However many guess at the account: its owner may sign in now, on a device that is not known either.
        await self._throttle.forget(user.email)
