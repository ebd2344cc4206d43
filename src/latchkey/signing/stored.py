"""Stored keys: which one signs, which ones wait, and which ones have left.

A key verifies and is listed from its creation until it leaves. Of those that have begun to sign, the latest signs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """What a key signs."""

    ACCESS = "access"


class KeyState(StrEnum):
    """Where a key is in its life. A key that verifies has signed before, or takes over where no other can."""

    WAITING = "waiting"
    SIGNING = "signing"
    VERIFYING = "verifying"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row. Times are seconds since the epoch. `private_sealed` is None once it was erased.

    `leaves_at` None: no end is set.
    """

    kid: str
    purpose: str
    alg: str
    public_jwk: dict[str, Any]
    private_sealed: bytes | None = field(repr=False)
    signs_from: float
    leaves_at: float | None
    created_at: float

    def has_left(self, now: float) -> bool:
        """Tells whether the key no longer verifies at that time."""
        return self.leaves_at is not None and self.leaves_at <= now

    def ever_signs(self) -> bool:
        """Tells whether the key has signed or will: not if it was retired while it waited."""
        return not self.has_left(self.signs_from)


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """Keys in the order in which they sign, and the database's time when they were read."""

    now: float
    keys: Sequence[StoredKey]

    def of(self, purpose: Purpose) -> "StoredKeys":
        """Returns the keys of one purpose."""
        return StoredKeys(self.now, tuple(key for key in self.keys if key.purpose == purpose))

    @property
    def listed(self) -> list[StoredKey]:
        """Returns the keys that verify, waiting ones included."""
        return [key for key in self.keys if not key.has_left(self.now)]

    @property
    def signer(self) -> StoredKey | None:
        """Returns the key that signs; None if none has begun to."""
        started = [key for key in self.listed if key.signs_from <= self.now and key.private_sealed is not None]
        return started[-1] if started else None

    @property
    def waiting(self) -> StoredKey | None:
        """Returns the key that will sign next, or None."""
        return next((key for key in self.listed if key.signs_from > self.now), None)

    @property
    def signs_since(self) -> float | None:
        """Returns when the first key began to sign, or will; None if no key ever does."""
        return min((key.signs_from for key in self.keys if key.ever_signs()), default=None)

    def find(self, kid: str) -> StoredKey | None:
        """Returns the key of that id, or None."""
        return next((key for key in self.keys if key.kid == kid), None)

    def state(self, key: StoredKey) -> KeyState:
        """Returns where one of the keys is in its life."""
        if key.has_left(self.now):
            return KeyState.LEFT
        if key.signs_from > self.now:
            return KeyState.WAITING
        return KeyState.SIGNING if key is self.signer else KeyState.VERIFYING

    def stopped_for(self, seconds: float) -> list[StoredKey]:
        """Returns the keys that stopped signing so long ago, because a newer one signs or because they left."""
        before = self.now - seconds
        return [
            key
            for key in self.keys
            if key.has_left(before)
            or any(key.signs_from < newer.signs_from <= before and newer.ever_signs() for newer in self.keys)
        ]
