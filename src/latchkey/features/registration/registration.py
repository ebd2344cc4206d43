"""Creation of accounts. Registration opens no session."""

import secrets
from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.features.email_verification.mails import VERIFY_MAIL
from latchkey.features.registration import queries
from latchkey.features.registration.actions import RegistrationAction
from latchkey.features.registration.mails import INVITATION_MAIL
from latchkey.hashing.hasher import PasswordHasher
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken
from latchkey.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreation:
    """Creates accounts."""

    audit: AuditLog
    hasher: PasswordHasher
    outbox: Outbox
    require_verified_email: bool

    @property
    def _verification_mail(self) -> str | None:
        return VERIFY_MAIL.name if self.require_verified_email else None

    async def register(self, name: str, email: str, password: str, origin: Origin) -> User:
        """Creates an account for its user. With REQUIRE_VERIFIED_EMAIL, mails a link that verifies the address.

        Raises EmailTaken when a live user has that address.
        """
        password_hash = await self.hasher.hash(password)
        return await self._create(name, email, password_hash, self._verification_mail, origin, by_user=True)

    async def create(self, name: str, email: str, password: str | None, origin: Origin) -> User:
        """Creates an account for an operator. Without a password, mails the user an invitation to choose one.

        Raises EmailTaken when a live user has that address.
        """
        # An invited account gets a random password that is discarded, so no one can sign in before the invitation is
        # used.
        first_password = password if password is not None else secrets.token_urlsafe(48)
        first_mail = INVITATION_MAIL.name if password is None else self._verification_mail
        return await self._create(
            name, email, await self.hasher.hash(first_password), first_mail, origin, by_user=False
        )

    async def _create(
        self, name: str, email: str, password_hash: str, first_mail: str | None, origin: Origin, *, by_user: bool
    ) -> User:
        async def create_user(change: Change) -> User:
            user = await queries.insert(change.connection, name, email, password_hash)
            if first_mail:
                await self.outbox.add(change, first_mail, email, origin, user_id=user.id)
            await change.record(Event(RegistrationAction.CREATE_USER, user.id if by_user else None, user.id, origin))
            return user

        with address_conflict(EmailTaken):
            return await self.audit.change(create_user)
