"""Verification of an address by a mailed link.

A request for a link only writes the typed address to the outbox. The answer does not reveal whether an account has the
address, or whether it is verified.
"""

from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.email_verification import queries
from latchkey.features.email_verification.actions import EmailVerificationAction
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.email_verification.errors import EmailTokenRefused
from latchkey.features.email_verification.mails import VERIFY_MAIL
from latchkey.features.email_verification.queries import Purpose, Requested
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry, Outbox
from latchkey.origin import Origin
from latchkey.sessions.tokens import token_hash
from latchkey.users import queries as user_queries
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken

TOKEN_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerification:
    """Verifies addresses by mailed links. `page_url` is the page that the links open."""

    database: Database
    audit: AuditLog
    outbox: Outbox
    address_change: AddressChange
    page_url: str

    async def ask(self, email: str, origin: Origin) -> None:
        """Queues a verification mail to that address. It is sent only if an account has the address unverified."""
        await self.outbox.put(VERIFY_MAIL.name, email, origin)

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the letter with a verification link for that address.

        None if no account has it, if it is verified, or if the account's mail limit is reached.
        """
        return await self._compose(
            change, entry, Purpose.VERIFY, await queries.find_unverified(change.connection, entry.recipient)
        )

    async def compose_change(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the letter with the link that changes an account's address. None if the change is no longer
        requested."""
        assert entry.user_id is not None, "the change of address queues the entry with its user"
        # A statement of its own takes the lock, so the next statement sees what other transactions did meanwhile.
        user = await user_queries.lock(change.connection, entry.user_id)
        requested = None
        if user is not None and await queries.has_requested_change(change.connection, user.id, entry.recipient):
            requested = Requested(user.id, user.name, entry.recipient)
        return await self._compose(change, entry, Purpose.CHANGE, requested)

    async def _compose(
        self, change: Change, entry: Entry, purpose: Purpose, requested: Requested | None
    ) -> Letter | None:
        token = entry.tokens[0]
        if entry.token_made:
            tokens_by_hash = {token_hash(each): each for each in entry.tokens}
            renewed = await queries.renew_token(change.connection, list(tokens_by_hash), TOKEN_HOURS)
            if renewed is None:
                return None
            requested, renewed_hash = renewed
            token = tokens_by_hash[renewed_hash]
        elif requested is None:
            return None
        elif await self.outbox.may_send_link(change, entry.kind, requested.user_id, requested.email):
            await queries.set_token(change.connection, requested, purpose, token_hash(token), TOKEN_HOURS)
        else:
            return None
        context = {
            "email": requested.email,
            "name": requested.name,
            "link": f"{self.page_url}#token={token}",
            "hours": str(TOKEN_HOURS),
        }
        return Letter(requested.email, context, user_id=requested.user_id, carries_token=True)

    async def verify(self, token: str, origin: Origin) -> None:
        """Verifies the address that the token was mailed to, and changes the account's address if that was requested.

        Raises EmailTokenRefused for an unknown, used or expired token, and EmailTaken when a live user has the new
        address.
        """
        hashed = token_hash(token)
        user_id = await queries.find_by_token(self.database, hashed)
        if user_id is None:
            raise EmailTokenRefused

        async def mark(change: Change) -> None:
            user = await user_queries.lock(change.connection, user_id)
            spent = await queries.spend(change.connection, hashed)
            if user is None or spent is None:
                raise EmailTokenRefused
            if spent.purpose is Purpose.CHANGE:
                await self.address_change.set(change, user, name=user.name, email=spent.email, origin=origin)
            await queries.mark_verified(change.connection, user_id, spent.email)
            changed = ("email", "email_verified_at") if spent.purpose is Purpose.CHANGE else ("email_verified_at",)
            await change.record(Event(EmailVerificationAction.VERIFY_EMAIL, user_id, user_id, origin, changed=changed))

        with address_conflict(EmailTaken):
            await self.audit.change(mark)
