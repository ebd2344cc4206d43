"""Registration: a new account; signing in is a step of its own."""

import secrets

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.hashing import PasswordHasher
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.users import queries
from latchkey.users.accounts import VERIFY_MAIL
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken
from latchkey.users.schemas import User

INVITATION_MAIL = "invitation"


class RegistrationDesk:
    """Makes accounts."""

    def __init__(
        self, audit: AuditLog, hasher: PasswordHasher, outbox: Outbox, *, require_verified_email: bool
    ) -> None:
        self._audit = audit
        self._hasher = hasher
        self._outbox = outbox
        self._mail_to_prove = VERIFY_MAIL if require_verified_email else None

    async def register(self, name: str, email: str, password: str, origin: Origin) -> User:
        """Makes an account; with REQUIRE_VERIFIED_EMAIL, its address gets a link that proves it.

        Raises EmailTaken when a live user has that address.
        """
        password_hash = await self._hasher.hash(password)
        return await self._create(name, email, password_hash, self._mail_to_prove, origin, by_user=True)

    async def create(self, name: str, email: str, password: str | None, origin: Origin) -> User:
        """Makes an account for somebody, by an operator: with a password, or, None, with an invitation by mail to
        choose one. Raises EmailTaken when a live user has that address."""
        # Nobody knows the password of an invited user, and nobody can guess it.
        first_password = password if password is not None else secrets.token_urlsafe(48)
        first_mail = INVITATION_MAIL if password is None else self._mail_to_prove
        return await self._create(
            name, email, await self._hasher.hash(first_password), first_mail, origin, by_user=False
        )

    async def _create(
        self, name: str, email: str, password_hash: str, first_mail: str | None, origin: Origin, *, by_user: bool
    ) -> User:
        async def create_user(change: Change) -> User:
            user = await queries.insert(change.connection, name, email, password_hash)
            if first_mail:
                await self._outbox.add(change, first_mail, email, origin, user_id=user.id)
            await change.record(Event(Action.CREATE_USER, user.id if by_user else None, user.id, origin))
            return user

        with address_conflict(EmailTaken):
            return await self._audit.change(create_user)
