"""Creation of accounts. Registration opens no session."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from latchkey.audit.actor import Actor
from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.features.email_verification.mails import VERIFY_MAIL
from latchkey.features.email_verification.queries import mark_verified
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
        return await self._create(
            name,
            email,
            password_hash,
            self._verification_mail,
            origin,
            lambda user_id: Event(RegistrationAction.CREATE_USER, user_id, user_id, origin),
        )

    async def create(
        self, name: str, email: str, password: str | None, actor: Actor, *, verified: bool = False
    ) -> User:
        """Creates an account for an operator. Without a password, mails the user an invitation to choose one.

        `verified`: the actor vouches for the address. Raises EmailTaken when a live user has that address.
        """
        # An invited account gets a random password that is discarded, so no one can sign in before the invitation is
        # used.
        first_password = password if password is not None else secrets.token_urlsafe(48)
        if password is None:
            first_mail: str | None = INVITATION_MAIL.name
        else:
            first_mail = None if verified else self._verification_mail
        return await self._create(
            name,
            email,
            await self.hasher.hash(first_password),
            first_mail,
            actor.origin,
            lambda user_id: actor.event(RegistrationAction.CREATE_USER, user_id),
            verified=verified,
        )

    async def _create(
        self,
        name: str,
        email: str,
        password_hash: str,
        first_mail: str | None,
        origin: Origin,
        event: Callable[[int], Event],
        *,
        verified: bool = False,
    ) -> User:
        async def create_user(change: Change) -> User:
            user = await queries.insert(change.connection, name, email, password_hash)
            if verified:
                await mark_verified(change.connection, user.id, user.email)
            if first_mail:
                await self.outbox.add(change, first_mail, email, origin, user_id=user.id)
            await change.record(event(user.id))
            return user

        with address_conflict(EmailTaken):
            return await self.audit.change(create_user)
