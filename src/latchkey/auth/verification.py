"""Proved addresses: a link by mail, and the token in it that proves the address or changes it.

As with recovery, asking only writes the address, as typed, to the outbox: whether there is such an account, and
whether its address is proved already, the answer does not tell.
"""

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.errors import ResetTokenRefused
from latchkey.database.pool import Database
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry, Outbox
from latchkey.origin import Origin
from latchkey.sessions.tokens import token_hash
from latchkey.users import email_queries, queries
from latchkey.users.accounts import VERIFY_MAIL, Accounts
from latchkey.users.conflicts import address_conflict
from latchkey.users.email_queries import Purpose, Wanted
from latchkey.users.errors import EmailTaken

TOKEN_HOURS = 24


class EmailVerification:
    """Proves addresses, for whoever reads their mail. `page_url` is where the links point."""

    def __init__(
        self, database: Database, audit: AuditLog, outbox: Outbox, accounts: Accounts, *, page_url: str
    ) -> None:
        self._database = database
        self._audit = audit
        self._outbox = outbox
        self._accounts = accounts
        self._page_url = page_url

    async def ask(self, email: str, origin: Origin) -> None:
        """Asks for a link to be mailed to that address, if an account has it and has not proved it."""
        await self._outbox.put(VERIFY_MAIL, email, origin)

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """The letter that proves an account's own address; None when nobody has it, or it is proved, or they have
        had enough mails for now."""
        return await self._compose(
            change, entry, Purpose.VERIFY, await email_queries.find_unverified(change.connection, entry.recipient)
        )

    async def compose_change(self, change: Change, entry: Entry) -> Letter | None:
        """The letter that changes an account's address to this one; None when that is not wanted any more."""
        assert entry.user_id is not None, "added with it, by the change that wants the address"
        # Locked by a statement of its own: the next one sees what was done while this one waited.
        user = await queries.lock(change.connection, entry.user_id)
        wanted = None
        if user is not None and await email_queries.wants_change(change.connection, user.id, entry.recipient):
            wanted = Wanted(user.id, user.name, entry.recipient)
        return await self._compose(change, entry, Purpose.CHANGE, wanted)

    async def _compose(self, change: Change, entry: Entry, purpose: Purpose, wanted: Wanted | None) -> Letter | None:
        hashed = token_hash(entry.token)
        if entry.token_made:
            wanted = await email_queries.renew_token(change.connection, hashed, TOKEN_HOURS)
        elif wanted is not None:
            if not await self._outbox.may_send_link(change, entry.kind, wanted.user_id):
                return None
            await email_queries.set_token(change.connection, wanted, purpose, hashed, TOKEN_HOURS)
        if wanted is None:
            return None
        context = {
            "email": wanted.email,
            "name": wanted.name,
            "link": f"{self._page_url}#token={entry.token}",
            "hours": str(TOKEN_HOURS),
        }
        return Letter(wanted.email, context, user_id=wanted.user_id, carries_token=True)

    async def verify(self, token: str, origin: Origin) -> None:
        """Proves the address that the token was mailed to; a changed one becomes the account's now.

        Raises ResetTokenRefused for an unknown, used or expired token, and EmailTaken when somebody else has the new
        address by now.
        """
        hashed = token_hash(token)
        user_id = await email_queries.find_by_token(self._database, hashed)
        if user_id is None:
            raise ResetTokenRefused

        async def prove(change: Change) -> None:
            user = await queries.lock(change.connection, user_id)
            proof = await email_queries.spend(change.connection, hashed)
            if user is None or proof is None:
                raise ResetTokenRefused
            if proof.purpose is Purpose.CHANGE:
                await self._accounts.change_email(change, user, proof.email, origin)
            await email_queries.mark_verified(change.connection, user_id, proof.email)
            changed = ("email", "email_verified_at") if proof.purpose is Purpose.CHANGE else ("email_verified_at",)
            await change.record(Event(Action.VERIFY_EMAIL, user_id, user_id, origin, changed=changed))

        with address_conflict(EmailTaken):
            await self._audit.change(prove)
