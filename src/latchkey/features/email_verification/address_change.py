"""Change of address: at once or, with CONFIRM_EMAIL_CHANGE, when the new address is verified."""

from dataclasses import dataclass
from typing import Self

from latchkey.audit.record import Change
from latchkey.features.email_verification import queries
from latchkey.features.email_verification.mails import CONFIRM_MAIL, EMAIL_CHANGED_NOTICE, VERIFY_MAIL
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.users import queries as user_queries
from latchkey.users.errors import EmailTaken
from latchkey.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """Changes a user's address. The caller's transaction has locked the user's row."""

    outbox: Outbox
    must_be_confirmed: bool
    require_verified_email: bool

    @classmethod
    def of(cls, settings: EmailVerificationSettings, outbox: Outbox) -> Self:
        """Returns the change of address that these settings describe."""
        return cls(
            outbox=outbox,
            must_be_confirmed=settings.confirm_email_change,
            require_verified_email=settings.require_verified_email,
        )

    async def set(self, change: Change, user: User, *, name: str, email: str, origin: Origin) -> User:
        """Sets name and address, and returns the user.

        Notifies the old address of a change, if it takes notices. With REQUIRE_VERIFIED_EMAIL, mails the new address a
        link to verify it. Raises asyncpg.UniqueViolationError when a live user has that address (`users.conflicts`).
        """
        # The same address in another case is the same mailbox. A migrated database may hold capital letters.
        email_changed = email.lower() != user.email.lower()
        is_told = email_changed and await user_queries.takes_notices(change.connection, user.id)
        updated = await user_queries.update(change.connection, user.id, name, email, email_changed=email_changed)
        if email_changed:
            await queries.end_tokens(change.connection, user.id)
            if is_told:
                await self.outbox.notify(change, EMAIL_CHANGED_NOTICE.name, user.email, origin, user_id=user.id)
            if self.require_verified_email:
                await self.outbox.add(change, VERIFY_MAIL.name, email, origin)
        return updated

    async def request(self, change: Change, user: User, email: str, origin: Origin) -> None:
        """Stores the requested address and mails it a link; opening the link changes the address.

        Raises EmailTaken when a live user has that address.
        """
        if await user_queries.is_taken(change.connection, email):
            raise EmailTaken
        await queries.request_change(change.connection, user.id, email)
        await self.outbox.add(change, CONFIRM_MAIL.name, email, origin, user_id=user.id)
