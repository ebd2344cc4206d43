"""The key ring: what an instance knows of the signing keys, so that no request reads them from the database.

Keys change seldom. A notification tells every instance of a change; besides, the ring reads the keys every minute, and
each second while notifications may be lost. Times are compared with the database's clock: the time that it had when the
keys were read, and a stopwatch since.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog
from joserfc.jwk import Key

from latchkey.database.pool import DatabaseUnavailable, Queryable
from latchkey.sealing import SealBroken, Sealer
from latchkey.signing import queries
from latchkey.signing.keys import import_public
from latchkey.signing.sealed import open_private
from latchkey.signing.stored import Purpose, StoredKey, StoredKeys

EVERY_SECONDS = 60.0
RETRY_SECONDS = 1.0
LOOK_SECONDS = 0.25
"""How soon `run` notices that the feed is cut. With the time until the feed itself does, less than two seconds."""
LOOK_AGAIN_SECONDS = 5.0
HS256_GRACE_SECONDS = 600.0
"""How long HS256 access tokens stay good after the first key began to sign: longer than instances learn of it."""
log = structlog.get_logger(__name__)


class KeysUnknown(DatabaseUnavailable):
    """The keys were not read yet, or the key that has to sign cannot be opened. Try again later."""


class UnreadableKeys(Exception):
    """The private parts of these keys do not open. The text says what to do."""

    def __init__(self, kids: Sequence[str]) -> None:
        self.kids = tuple(kids)
        those = f"signing key{'s' * (len(kids) > 1)} {', '.join(kids)}"
        self.advice = (
            "bring back the secret that sealed them, as JWT_REFRESH_SECRET or in JWT_REFRESH_SECRET_ACCEPTED, or give"
            " them up: latchkey keys init --discard-unreadable"
        )
        super().__init__(f"cannot open {those} with this JWT_REFRESH_SECRET: {self.advice}")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its private part."""

    kid: str
    alg: str
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key."""

    kid: str
    alg: str
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """A key of the ring. `signing` is None if the private part was erased or does not open."""

    stored: StoredKey
    verifying: VerifyingKey
    signing: SigningKey | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read last. `held` has the access keys that had not left, in the order in which they sign."""

    keys: Sequence[StoredKey]
    held: dict[str, _Held]
    unreadable: tuple[str, ...]
    signs_since: float | None
    """When the first key began to sign, or will."""


class KeyRing:
    """The signing keys of access tokens that this instance knows."""

    def __init__(self, database: Queryable, sealer: Sealer, stopwatch: Callable[[], float]) -> None:
        self._database = database
        self._sealer = sealer
        self._stopwatch = stopwatch
        self._known: _Known | None = None
        self._database_time_at_zero = 0.0
        self._loading = asyncio.Lock()
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[DatabaseUnavailable | None] | None = None
        self._looked_at = 0.0
        self._callbacks: list[Callable[[], None]] = []
        self._logged: str | None = None

    def on_change(self, callback: Callable[[], None]) -> None:
        """Calls `callback` after each load that found other keys than the one before."""
        self._callbacks.append(callback)

    def signer(self) -> SigningKey | None:
        """Returns the key that signs now; None: access tokens are signed with HS256.

        Raises KeysUnknown before the first load, and if no key that may sign can be opened.
        """
        known, now = self._loaded(), self._database_now()
        started = [
            held for held in known.held.values() if held.stored.signs_from <= now and not held.stored.has_left(now)
        ]
        if not started:
            return None
        # A key that does not open is reported at each load. Meanwhile an older one signs: verifiers still have it.
        for held in reversed(started):
            if held.signing is not None:
                return held.signing
        raise KeysUnknown("no signing key can be opened")

    def find(self, kid: str) -> VerifyingKey | None:
        """Returns the key of that id if it verifies now. Raises KeysUnknown before the first load."""
        held = self._loaded().held.get(kid)
        return None if held is None or held.stored.has_left(self._database_now()) else held.verifying

    def accepts_hs256(self) -> bool:
        """Tells whether HS256 access tokens are good: until ten minutes after the first key began to sign.

        Raises KeysUnknown before the first load.
        """
        since = self._loaded().signs_since
        return since is None or self._database_now() <= since + HS256_GRACE_SECONDS

    def public_jwks(self) -> list[dict[str, Any]]:
        """Returns the JWKs that verify now or will, for verifiers. Raises KeysUnknown before the first load."""
        known, now = self._loaded(), self._database_now()
        return [held.stored.public_jwk for held in known.held.values() if not held.stored.has_left(now)]

    async def load(self) -> None:
        """Reads the keys. Raises DatabaseUnavailable.

        Raises UnreadableKeys if a key that has not left does not open; the others are known then, too.
        """
        # One after another, so that no older answer replaces a newer one.
        async with self._loading:
            stored = await queries.read(self._database)
            # Read after the answer: this clock is behind the database's by the answer's way, never ahead.
            self._database_time_at_zero = stored.now - self._stopwatch()
            if self._known is None or self._known.keys != stored.keys:
                self._known = self._read(stored)
                for callback in self._callbacks:
                    callback()
            unreadable = self._known.unreadable
        if unreadable:
            raise UnreadableKeys(unreadable)

    async def look_again(self) -> None:
        """Reads the keys because a token names an unknown one: at most once in five seconds, whoever asks.

        Raises DatabaseUnavailable if the keys cannot be read, or could not within these seconds.
        """
        if self._looking is None or (
            self._looking.done() and self._stopwatch() - self._looked_at >= LOOK_AGAIN_SECONDS
        ):
            self._looked_at = self._stopwatch()
            self._looking = asyncio.create_task(self._look())
        if (failure := await asyncio.shield(self._looking)) is not None:
            raise DatabaseUnavailable(str(failure))

    def wake(self) -> None:
        """Makes `run` read the keys now."""
        self._woken.set()

    def hear(self, what: str) -> None:
        """Reads the keys again if a notification says so: "" if any notification may have been missed."""
        if what in {"", queries.CHANGED}:
            self.wake()

    async def run(self, feed_is_healthy: Callable[[], bool]) -> None:
        """Reads the keys until cancelled: every minute, when woken, and each second while the feed is not healthy."""
        while True:
            self._woken.clear()
            read_at = self._stopwatch()
            is_read = await self._load_or_log()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
                is_sure = is_read and feed_is_healthy()
                age = self._stopwatch() - read_at
                if self._woken.is_set() or age >= (EVERY_SECONDS if is_sure else RETRY_SECONDS):
                    break

    async def _look(self) -> DatabaseUnavailable | None:
        try:
            await self.load()
        except DatabaseUnavailable as error:
            return error
        except UnreadableKeys:
            # `run` reports it.
            return None
        return None

    async def _load_or_log(self) -> bool:
        """Tells whether the keys were read. Logs a failure once, not at each retry."""
        failure, is_read = None, False
        try:
            await self.load()
            is_read = True
        except UnreadableKeys as error:
            failure, is_read = str(error), True
        except DatabaseUnavailable as error:
            failure = f"the signing keys cannot be read: {error}"
        except asyncpg.PostgresError as error:
            failure = f"the signing keys cannot be read: {type(error).__name__}"
        if failure is not None and failure != self._logged:
            log.error(failure)
        self._logged = failure
        return is_read

    def _loaded(self) -> _Known:
        if self._known is None:
            raise KeysUnknown("the signing keys were not read yet")
        return self._known

    def _database_now(self) -> float:
        return self._database_time_at_zero + self._stopwatch()

    def _read(self, stored: StoredKeys) -> _Known:
        access = stored.of(Purpose.ACCESS)
        held: dict[str, _Held] = {}
        unreadable: list[str] = []
        for key in access.listed:
            try:
                private = open_private(self._sealer, key)
                signing = None if private is None else SigningKey(key.kid, key.alg, private)
            except SealBroken:
                unreadable.append(key.kid)
                # Another instance, with another secret, has sealed it again. This one goes on with what it knows.
                signing = self._known.held[key.kid].signing if self._known and key.kid in self._known.held else None
            held[key.kid] = _Held(key, VerifyingKey(key.kid, key.alg, import_public(key.public_jwk)), signing)
        return _Known(stored.keys, held, tuple(unreadable), access.signs_since)
