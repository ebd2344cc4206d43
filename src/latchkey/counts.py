"""Counts with an end, for the rate limit and the login throttle: in memory, or in a store that instances share."""

import re
from collections import OrderedDict
from typing import Protocol, cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from latchkey.clock import Clock

STORE_TIMEOUT_SECONDS = 1.0
ENDS_REMEMBERED = 10_000
SWEEP_EVERY = 64
SWEEP_AT_ONCE = 256
ENTRIES_MAX = 100_000
"""About 40 MB."""
COMPARED = 16


class Counts(Protocol):
    """Counts by key. The errors that they raise depend on where they are stored."""

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """Adds one to a count, which ends `seconds` after it began.

        Returns the count and its approximate end, in seconds since the epoch.
        """
        ...

    async def get(self, key: str) -> int:
        """Returns a count; 0 for an unknown key."""
        ...

    async def clear(self, key: str) -> None:
        """Removes a count."""
        ...

    async def check(self) -> bool:
        """Tells whether the store is reachable."""
        ...


def open_counts(url: str, clock: Clock) -> Counts:
    """Returns the counts of a RATE_LIMIT_STORAGE URL. Valkey speaks Redis' protocol, so one client serves both."""
    if url.startswith("memory"):
        return MemoryCounts(clock)
    storage = storage_from_string(
        "async+" + re.sub("^valkey", "redis", url),
        implementation="redispy",
        socket_timeout=STORE_TIMEOUT_SECONDS,
        socket_connect_timeout=STORE_TIMEOUT_SECONDS,
    )
    return SharedCounts(cast(Storage, storage), clock)


class SharedCounts:
    """Counts in a store of the `limits` library, which several instances share.

    A count's end is queried once and kept, because a query costs as much as a hit. If another instance restarts the
    count, the old end is reported until it passes.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self._clock = clock
        self._ends: OrderedDict[str, float] = OrderedDict()

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """See Counts."""
        count = await self.storage.incr(key, seconds)
        now = self._clock()
        ends_at = now + seconds if count == 1 else self._ends.get(key, now)
        if ends_at <= now:
            ends_at = await self.storage.get_expiry(key)
        if key not in self._ends and len(self._ends) >= ENDS_REMEMBERED:
            self._ends.popitem(last=False)
        self._ends[key] = ends_at
        return count, ends_at

    async def get(self, key: str) -> int:
        """See Counts."""
        return await self.storage.get(key)

    async def clear(self, key: str) -> None:
        """See Counts."""
        await self.storage.clear(key)

    async def check(self) -> bool:
        """See Counts."""
        return await self.storage.check()


class MemoryCounts:
    """Counts in this process' memory: by key, the count and its end.

    The limits library's own store visits every key on every hit, which is slow with thousands of addresses. This one
    removes ended counts a few at a time.

    It holds at most `entries_max` counts. When it is full, a new key replaces the lowest of 16 counts; the next new key
    compares the next 16. So a stranger with many addresses

    - fills no memory: the limit holds, and each new key costs 16 comparisons;
    - frees no address: one over its limit has a higher count than the addresses that fill the table. To displace it,
    the stranger must bring the others near their limits, too, which costs as many requests for each;
    - blocks no client: a new key is always counted, from 1. Others lose low counts early, which only helps them.
    """

    def __init__(self, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        self._clock = clock
        self._entries_max = entries_max
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._hits = 0

    def __len__(self) -> int:
        """Returns the number of counts, ended ones included."""
        return len(self._counts)

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """See Counts."""
        now = self._clock()
        self._hits += 1
        if self._hits % SWEEP_EVERY == 0:
            self._sweep(now)
        held = self._counts.get(key)
        if held is None and len(self._counts) >= self._entries_max:
            self._make_room(now)
        count, ends_at = held or (0, now)
        if ends_at <= now:
            count, ends_at = 0, now + seconds
        self._counts[key] = (count + 1, ends_at)
        return count + 1, ends_at

    async def get(self, key: str) -> int:
        """See Counts."""
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if ends_at > self._clock() else 0

    async def clear(self, key: str) -> None:
        """See Counts."""
        self._counts.pop(key, None)

    async def check(self) -> bool:
        """See Counts."""
        return True

    def _make_room(self, now: float) -> None:
        compared = [self._counts.popitem(last=False) for _ in range(min(COMPARED, len(self._counts)))]
        kept = [entry for entry in compared if entry[1][1] > now]
        if len(kept) == len(compared):
            kept.remove(min(kept, key=lambda entry: entry[1][0]))
        self._counts.update(kept)

    def _sweep(self, now: float) -> None:
        for _ in range(min(SWEEP_AT_ONCE, len(self._counts))):
            key, count = self._counts.popitem(last=False)
            if count[1] > now:
                # Moved to the end: it is checked again after all others.
                self._counts[key] = count
