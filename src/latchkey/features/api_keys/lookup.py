"""Finds out whether a presented API key is good: in memory, or with one statement."""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.features.api_keys import queries
from latchkey.features.api_keys.key_format import PresentedKey
from latchkey.features.api_keys.queries import CHANGED_KEY, UsableKey
from latchkey.http.authenticate import ApiKey

REMEMBERED_SECONDS = 60.0
REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Remembered:
    key: ApiKey
    until: float


class KeyLookup:
    """Finds good keys. It remembers them for at most 60 s, and never longer than they live.

    `hears_changes` tells whether notifications of revoked keys arrive here now; while they do not, every look-up asks
    the database. `changed` takes these notifications.
    """

    def __init__(self, database: Database, hears_changes: Callable[[], bool], stopwatch: Callable[[], float]) -> None:
        self._reads: BatchedReads[str, UsableKey] = BatchedReads(partial(queries.find_usable, database))
        self._hears_changes = hears_changes
        self._stopwatch = stopwatch
        # By hash, oldest first.
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        self._hashes: dict[str, bytes] = {}
        self._changes = 0

    def recall(self, key_hash: bytes) -> ApiKey | None:
        """Returns the key with that hash if it is remembered as good; None does not mean that it is bad."""
        remembered = self._remembered.get(key_hash)
        if remembered is None or not self._hears_changes():
            return None
        if remembered.until <= self._stopwatch():
            self._forget(remembered.key.id)
            return None
        return remembered.key

    async def find(self, presented: PresentedKey) -> ApiKey | None:
        """Asks the database, and returns the key; None if it is unknown, expired or revoked.

        Raises DatabaseUnavailable.
        """
        changes, asked_at = self._changes, self._stopwatch()
        usable = await self._reads.read(presented.id)
        if usable is None or not hmac.compare_digest(usable.hash, presented.hash):
            return None
        key = ApiKey(presented.id, usable.scopes)
        # The notification of a key that was revoked after the statement may have come before its answer.
        if changes == self._changes:
            self._remember(presented, key, asked_at, usable.expires_in)
        return key

    def changed(self, payload: str) -> None:
        """Forgets the key that a notification names. "" means that notifications may have been missed: forgets all."""
        if not payload:
            self._remembered.clear()
            self._hashes.clear()
        elif payload.startswith(CHANGED_KEY):
            self._forget(payload.removeprefix(CHANGED_KEY))
        else:
            return
        self._changes += 1

    def _remember(self, presented: PresentedKey, key: ApiKey, asked_at: float, expires_in: float | None) -> None:
        seconds = REMEMBERED_SECONDS if expires_in is None else min(REMEMBERED_SECONDS, expires_in)
        self._forget(key.id)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._forget(next(iter(self._remembered.values())).key.id)
        self._remembered[presented.hash] = _Remembered(key, asked_at + seconds)
        self._hashes[key.id] = presented.hash

    def _forget(self, key_id: str) -> None:
        if (key_hash := self._hashes.pop(key_id, None)) is not None:
            del self._remembered[key_hash]
