"""Login: the one door. Every way to sign in ends here, opens a session and records it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.auth.errors import EmailNotVerified, InvalidCredentials
from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.schemas import PASSWORD_MAX_BYTES
from latchkey.auth.throttle import Guess, Throttle
from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.mail.notices import NEW_DEVICE
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.refusal import ServiceUnavailable
from latchkey.sessions.devices import device_name
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.opening import SessionOpener
from latchkey.sessions.queries import EndedBy
from latchkey.sessions.tokens import TokenPair
from latchkey.users import queries
from latchkey.users.queries import Credentials
from latchkey.users.schemas import User

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the tokens of the new session."""

    user: User
    pair: TokenPair


class Login:
    """Signs people in with address and password."""

    def __init__(
        self,
        database: Database,
        audit: AuditLog,
        hasher: PasswordHasher,
        throttle: Throttle,
        sessions: SessionOpener,
        ender: SessionEnder,
        outbox: Outbox,
        *,
        require_verified_email: bool,
        new_device_mail: bool,
    ) -> None:
        self._database = database
        self._audit = audit
        self._hasher = hasher
        self._throttle = throttle
        self._sessions = sessions
        self._ender = ender
        self._outbox = outbox
        self._require_verified_email = require_verified_email
        self._new_device_mail = new_device_mail

    async def with_password(
        self, email: str, password: str, *, device: str | None, replaces: list[UUID], origin: Origin
    ) -> SignedIn:
        """Opens a session for the user with that address (lower case), ending the sessions `replaces`.

        `device` is the id of one that has signed in to this account before. Raises InvalidCredentials, recorded as
        LOGIN_FAILED, in the same time and words whether the address is unknown, the password wrong or the user
        deleted; TooManyAttempts when it comes too soon after failed ones; and, to who knows the password,
        EmailNotVerified when REQUIRE_VERIFIED_EMAIL is on and the address is not proved.
        """
        async with self._throttle.guess(email, device) as guess:
            credentials = await self._verified(email, password, guess, origin)
        if self._require_verified_email and not credentials.verified:
            await self._record_failure(credentials.user.id, origin, {"reason": "email not verified"})
            raise EmailNotVerified
        signed_in = await self._open_session(credentials, device, replaces, origin)
        if signed_in is None:
            raise await self._failed(credentials.user.id, origin)
        await self._renew_hash(credentials, password)
        return signed_in

    async def _verified(self, email: str, password: str, guess: Guess, origin: Origin) -> Credentials:
        credentials = await queries.credentials_by_email(self._database, email)
        stored = credentials.password_hash if credentials else None
        migrated = credentials is not None and credentials.migrated
        if await self._hasher.verify(password, stored, migrated=migrated):
            assert credentials is not None, "nothing matches no hash"
            await guess.succeeded()
            return credentials
        await guess.failed()
        raise await self._failed(credentials.user.id if credentials else None, origin)

    async def _open_session(
        self, credentials: Credentials, device: str | None, replaces: list[UUID], origin: Origin
    ) -> SignedIn | None:
        """Opens it only if the user still has the very hash that was verified, outside of this transaction: a reset,
        change or deletion in between wins, and the answer is None."""
        user = credentials.user
        details = None
        if self._new_device_mail and device is None:
            # In a thread, and before the transaction: what it is called takes the first one who asks a while.
            name = await asyncio.to_thread(device_name, origin.user_agent)
            details = {"device": name or "an unknown device"}

        async def open_session(change: Change) -> SignedIn | None:
            if not await queries.keeps_password(
                change.connection, user.id, credentials.password_hash, alone=self._sessions.limited
            ):
                return None
            if replaces:
                await self._ender.end(change, replaces, EndedBy.LOGIN)
            session = await self._sessions.open(change, user.id, origin)
            if details and await queries.is_older_than_a_day(change.connection, user.id):
                await self._outbox.add(change, NEW_DEVICE, user.email, origin, user_id=user.id, details=details)
            await change.record(Event(Action.LOGIN, user.id, user.id, origin, session.id))
            return SignedIn(user, session.pair)

        return await self._audit.change(open_session)

    async def _failed(self, user_id: int | None, origin: Origin) -> InvalidCredentials:
        await self._record_failure(user_id, origin, {})
        return InvalidCredentials()

    async def _record_failure(self, user_id: int | None, origin: Origin, details: dict[str, str]) -> None:
        async def record(change: Change) -> None:
            # Nobody has signed in, so there is no actor.
            await change.record(Event(Action.LOGIN_FAILED, None, user_id, origin, details=details))

        await self._audit.change(record)

    async def _renew_hash(self, credentials: Credentials, password: str) -> None:
        if credentials.migrated and len(password.encode()) > PASSWORD_MAX_BYTES:
            log.info("signed in by the first 72 bytes of a longer password", user_id=credentials.user.id)
            return
        old_hash = credentials.password_hash
        if not self._hasher.needs_renewal(old_hash):
            return
        # The session is open, whatever becomes of this: the next login tries again.
        with suppress(ServiceUnavailable, DatabaseUnavailable):
            new_hash = await self._hasher.hash(password)
            await self._database.transact(
                lambda connection: queries.renew_hash(connection, credentials.user.id, old_hash, new_hash)
            )
