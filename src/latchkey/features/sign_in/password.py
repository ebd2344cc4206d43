"""Sign-in with address and password."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from latchkey.audit.record import Change
from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.features.sign_in import queries
from latchkey.features.sign_in.door import Door, Proof, SignedIn, Visit
from latchkey.features.sign_in.errors import InvalidCredentials
from latchkey.features.sign_in.queries import Credentials
from latchkey.features.sign_in.steps import Candidate
from latchkey.features.sign_in.throttle import PasswordAttempt, Throttle
from latchkey.hashing.bcrypt_hashes import PASSWORD_MAX_BYTES
from latchkey.hashing.costs import HashCosts
from latchkey.hashing.hasher import PasswordHasher
from latchkey.refusal import ServiceUnavailable
from latchkey.sessions.claims import PASSWORD_METHOD
from latchkey.sessions.standing import Standing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSignIn:
    """Signs users in with address and password."""

    database: Database
    hasher: PasswordHasher
    costs: HashCosts
    throttle: Throttle
    door: Door

    async def sign_in(self, email: str, password: str, visit: Visit) -> SignedIn:
        """Opens a session for the user with that address (lower case).

        Raises InvalidCredentials, recorded as LOGIN_FAILED, for an unknown address, a wrong password or a deleted user,
        all with the same timing and text. Raises TooManyAttempts if it comes too soon after failed attempts. After a
        correct password, raises AccountSuspended, or the refusal of a step of the door.
        """
        # Before the throttle, which counts devices of this generation apart. Every address costs one statement.
        found = await queries.credentials_by_email(self.database, email)
        device = visit.recognise_device(found.generation if found else 0)
        async with self.throttle.attempt(email, device if found else None) as attempt:
            credentials = await self._verify(email, password, found, attempt, visit)
        candidate = Candidate(credentials.user, credentials.email_verified, credentials.generation)
        proof = Proof(candidate, (PASSWORD_METHOD,), partial(_lock, credentials))
        signed_in = await self.door.enter(proof, visit)
        if signed_in is None:
            raise InvalidCredentials
        await self._renew_hash(credentials, password)
        return signed_in

    async def _verify(
        self, email: str, password: str, credentials: Credentials | None, attempt: PasswordAttempt, visit: Visit
    ) -> Credentials:
        stored = credentials.password_hash if credentials else None
        migrated = credentials is not None and credentials.migrated
        if await self.hasher.verify(password, stored, migrated=migrated, otherwise=self.costs.cost_of(email)):
            assert credentials is not None, "no password matches a missing hash"
            await attempt.succeeded()
            return credentials
        await attempt.failed()
        await self.door.record_failure(credentials.user.id if credentials else None, visit.origin)
        raise InvalidCredentials

    async def _renew_hash(self, credentials: Credentials, password: str) -> None:
        if len(password.encode()) > PASSWORD_MAX_BYTES:
            # bcrypt could not match it. The hash of another scheme stays until a new password is set.
            if credentials.migrated:
                log.info("signed in by the first 72 bytes of a longer password", user_id=credentials.user.id)
            return
        old_hash = credentials.password_hash
        if not self.hasher.needs_renewal(old_hash):
            return
        # The session is open. If this fails, the next sign-in tries again.
        with suppress(ServiceUnavailable, DatabaseUnavailable):
            new_hash = await self.hasher.hash(password)
            await self.database.transact(
                lambda connection: queries.renew_hash(connection, credentials.user.id, old_hash, new_hash)
            )


async def _lock(credentials: Credentials, change: Change, *, exclusively: bool) -> Standing | None:
    """Locks the user's row if it has the verified hash and is not deleted."""
    return await queries.lock_with_password(
        change.connection, credentials.user.id, credentials.password_hash, exclusively=exclusively
    )
