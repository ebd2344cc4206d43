"""The life of signing keys: made, rotated, retired, discarded, and at last erased. Each change is one transaction.

A new key is listed for an hour before it signs, so that every verifier has it by then. The ones before it verify for
two hours more, which is longer than any access token lives. One advisory lock keeps all changes apart, on all
instances.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.clock import SECONDS_A_DAY
from latchkey.database.pool import Database
from latchkey.database.queries import lock_by_name, notify_changed
from latchkey.features.signing_keys import queries
from latchkey.features.signing_keys.actions import KeyEvent, SigningKeyAction
from latchkey.origin import Origin
from latchkey.sealing import Sealer
from latchkey.signing.keys import Algorithm, generate, public_jwk
from latchkey.signing.queries import CHANGED, read
from latchkey.signing.ring import UnreadableKeys
from latchkey.signing.sealed import TABLE, is_stale, open_private, seal_private, unreadable
from latchkey.signing.stored import KeyState, Purpose, StoredKeys

WAIT_SECONDS = 3_600.0
"""How long a new key is listed before it signs. Verifiers may keep the list for 15 minutes."""
LEAVE_SECONDS = 7_200.0
"""How long older keys verify after a new one begins to sign. An access token lives an hour at most."""
ERASE_SECONDS = 600.0
"""How long a private part is kept after its key stopped signing. All instances know of the next one by then."""
log = structlog.get_logger(__name__)
T = TypeVar("T")


class KeyChangeRefused(Exception):
    """The change makes no sense now. The text says why, and what to do."""


@dataclass(slots=True)
class SigningKeys:
    """Changes the keys of access tokens. A key signs for `days`."""

    database: Database
    audit: AuditLog
    sealer: Sealer
    days: int

    async def make_first(self) -> bool:
        """Makes the key of a new installation, which signs at once. False if there is a key or a session already."""

        async def make(change: Change, stored: StoredKeys) -> bool:
            if stored.keys or await queries.has_session(change.connection):
                return False
            await self._create(change, Algorithm.ES256, signs_in=0)
            return True

        return await self._locked(make)

    async def init(self, algorithm: Algorithm | None) -> None:
        """Makes the first key of an installation that signs with HS256, or one of another algorithm. It signs in an
        hour.

        Raises KeyChangeRefused, UnreadableKeys.
        """

        async def make(change: Change, stored: StoredKeys) -> None:
            self._require_order(stored)
            signer = stored.signer
            if signer is not None and algorithm in {None, signer.alg}:
                raise KeyChangeRefused(
                    f"key {signer.kid} signs already, with {signer.alg}: run latchkey keys rotate for another one"
                )
            await self._create(change, algorithm or Algorithm.ES256, signs_in=WAIT_SECONDS)

        await self._locked(make)

    async def rotate(self, *, now: bool) -> None:
        """Makes a key of the same algorithm, which signs in an hour, or at once. Raises KeyChangeRefused,
        UnreadableKeys."""

        async def make(change: Change, stored: StoredKeys) -> None:
            self._require_order(stored)
            if stored.signer is None:
                raise KeyChangeRefused("no key signs yet: run latchkey keys init")
            await self._create(change, Algorithm(stored.signer.alg), signs_in=0 if now else WAIT_SECONDS)

        await self._locked(make)

    async def retire(self, kid: str) -> None:
        """Makes a key leave now. Raises KeyChangeRefused for an unknown one, and for the one that signs."""

        async def leave(change: Change, stored: StoredKeys) -> None:
            key = stored.find(kid)
            if key is None:
                raise KeyChangeRefused(f"there is no signing key {kid}: see latchkey keys list")
            match stored.state(key):
                case KeyState.LEFT:
                    raise KeyChangeRefused(f"key {kid} has left already")
                case KeyState.SIGNING:
                    raise KeyChangeRefused(f"key {kid} signs now: run latchkey keys rotate --now first")
            await self._leave(change, [kid])
            await self._record(change, kid, KeyEvent.RETIRED)

        await self._locked(leave)

    async def discard_unreadable(self, algorithm: Algorithm | None) -> list[str]:
        """Makes the keys leave whose private part does not open. Makes a new one that signs at once, if none is left
        to sign.

        Returns the kids of the discarded keys. Raises KeyChangeRefused if all keys can be opened.
        """

        async def discard(change: Change, stored: StoredKeys) -> list[str]:
            kids = [key.kid for key in unreadable(self.sealer, stored)]
            if not kids:
                raise KeyChangeRefused("every signing key can be opened: none was discarded")
            kept = await self._leave(change, kids)
            if kept.signer is None:
                last = stored.signer
                has_begun = stored.signs_since is not None and stored.signs_since <= stored.now
                await self._create(
                    change,
                    algorithm or (Algorithm(last.alg) if last else Algorithm.ES256),
                    signs_in=0 if has_begun else WAIT_SECONDS,
                )
            for kid in kids:
                await self._record(change, kid, KeyEvent.DISCARDED)
            return kids

        return await self._locked(discard)

    async def tend(self) -> None:
        """Rotates the signer once its days are over, and erases private parts that are no longer needed."""
        stored = (await read(self.database)).of(Purpose.ACCESS)
        if self._is_due(stored):
            await self._locked(self._rotate_if_due)
        if self._to_erase(stored):
            await self._locked(self._erase)

    async def seal_again(self) -> None:
        """Seals private parts under the current secret that another accepted one has sealed."""

        async def seal(change: Change, stored: StoredKeys) -> None:
            closed = unreadable(self.sealer, stored)
            for key in stored.listed:
                if is_stale(self.sealer, key) and key not in closed:
                    private = open_private(self.sealer, key)
                    assert private is not None, "it is stale, so it is stored"
                    await queries.replace_sealed(
                        change.connection, key.kid, seal_private(self.sealer, key.kid, private)
                    )
                    log.info("a signing key was sealed under the current JWT_REFRESH_SECRET", kid=key.kid)

        stored = (await read(self.database)).of(Purpose.ACCESS)
        if any(is_stale(self.sealer, key) for key in stored.listed):
            await self._locked(seal)

    async def _locked(self, work: Callable[[Change, StoredKeys], Awaitable[T]]) -> T:
        async def with_lock(change: Change) -> T:
            await lock_by_name(change.connection, TABLE)
            return await work(change, (await read(change.connection)).of(Purpose.ACCESS))

        return await self.audit.change(with_lock)

    def _require_order(self, stored: StoredKeys) -> None:
        """Raises UnreadableKeys or KeyChangeRefused if no key may be made now."""
        # With the wrong secret, a command would make a key that no server can open.
        if closed := unreadable(self.sealer, stored):
            raise UnreadableKeys([key.kid for key in closed])
        if stored.waiting is not None:
            raise KeyChangeRefused(
                f"key {stored.waiting.kid} waits already and signs within the hour; to do without it:"
                f" latchkey keys retire {stored.waiting.kid}"
            )

    async def _create(self, change: Change, algorithm: Algorithm, *, signs_in: float) -> None:
        # Takes a tenth of a millisecond for these algorithms, so it may happen inside the transaction.
        key = generate(algorithm)
        kid = key.thumbprint()
        await queries.insert(
            change.connection,
            kid,
            Purpose.ACCESS,
            algorithm,
            public_jwk(key, algorithm),
            seal_private(self.sealer, kid, key),
            signs_in=signs_in,
        )
        await queries.let_older_leave(change.connection, Purpose.ACCESS, after=LEAVE_SECONDS)
        await notify_changed(change.connection, CHANGED)
        await self._record(change, kid, KeyEvent.CREATED)

    async def _leave(self, change: Change, kids: list[str]) -> StoredKeys:
        """Makes keys leave now. The key that signs stays, if none waits to follow it. Returns the keys after that."""
        await queries.let_leave(change.connection, kids)
        stored = (await read(change.connection)).of(Purpose.ACCESS)
        if stored.signer is not None and stored.waiting is None:
            await queries.let_stay(change.connection, stored.signer.kid)
        await notify_changed(change.connection, CHANGED)
        return stored

    async def _record(self, change: Change, kid: str, event: KeyEvent) -> None:
        await change.record(
            Event(
                SigningKeyAction.SIGNING_KEY,
                None,
                None,
                Origin(),
                details={"kid": kid, "event": event.value},
                entity_type=TABLE,
            )
        )

    def _is_due(self, stored: StoredKeys) -> bool:
        signer = stored.signer
        return (
            signer is not None
            and stored.waiting is None
            and signer.signs_from + self.days * SECONDS_A_DAY <= stored.now
            and not unreadable(self.sealer, stored)
        )

    async def _rotate_if_due(self, change: Change, stored: StoredKeys) -> None:
        if self._is_due(stored) and stored.signer is not None:
            await self._create(change, Algorithm(stored.signer.alg), signs_in=WAIT_SECONDS)
            log.info("a new signing key was made, because SIGNING_KEY_DAYS are over; it signs in an hour")

    def _to_erase(self, stored: StoredKeys) -> list[str]:
        return [key.kid for key in stored.stopped_for(ERASE_SECONDS) if key.private_sealed is not None]

    async def _erase(self, change: Change, stored: StoredKeys) -> None:
        await queries.erase_private(change.connection, self._to_erase(stored))
