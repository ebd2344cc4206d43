"""Registration: a new account; signing in is a step of its own."""

import asyncpg

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.hashing import PasswordHasher
from latchkey.http.errors import EmailTaken
from latchkey.http.exchange import Origin
from latchkey.users import queries
from latchkey.users.schemas import User


class RegistrationDesk:
    """Makes accounts."""

    def __init__(self, audit: AuditLog, hasher: PasswordHasher) -> None:
        self._audit = audit
        self._hasher = hasher

    async def register(self, name: str, email: str, password: str, origin: Origin) -> User:
        """Makes an account. Raises EmailTaken when a live user has that address."""
        password_hash = await self._hasher.hash(password)

        async def create_user(change: Change) -> User:
            user = await queries.insert(change.connection, name, email, password_hash)
            await change.record(Event(Action.CREATE_USER, user.id, user.id, origin))
            return user

        try:
            return await self._audit.change(create_user)
        except asyncpg.UniqueViolationError:
            raise EmailTaken from None
