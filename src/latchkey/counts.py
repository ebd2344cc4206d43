"""Counts with an end, for the rate limit: in memory, or in a store that instances share.

The login throttle uses only the connection to that store.
"""

import re
from collections import OrderedDict
from typing import Protocol, cast

from limits.aio.storage import Storage
from limits.storage import storage_from_string

from latchkey.bounded_table import ENTRIES_MAX, BoundedTable
from latchkey.clock import Clock

STORE_TIMEOUT_SECONDS = 1.0
ENDS_REMEMBERED = 10_000


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

    async def check(self) -> bool:
        """See Counts."""
        return await self.storage.check()


class MemoryCounts:
    """Counts in this process' memory: by key, the count and its end.

    The limits library's own store visits every key on every hit, which is slow with thousands of addresses. A bounded
    table removes ended counts a few at a time, and when it is full, the lowest of 16. So a stranger with many addresses

    - fills no memory: 100 000 counts take about 40 MB, and each new key costs 16 comparisons;
    - frees no address: one over its limit has a higher count than the addresses that fill the table. To displace it,
    the stranger must bring the others near their limits, too, which costs as many requests for each;
    - blocks no client: a new key is always counted, from 1. Others lose low counts early, which only helps them.
    """

    def __init__(self, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        self._clock = clock
        self._counts: BoundedTable[tuple[int, float]] = BoundedTable(_weigh, entries_max=entries_max)

    def __len__(self) -> int:
        """Returns the number of counts, ended ones included."""
        return len(self._counts)

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """See Counts."""
        now = self._clock()
        self._counts.sweep(now)
        count, ends_at = self._counts.get(key) or (0, now)
        if ends_at <= now:
            count, ends_at = 0, now + seconds
        self._counts.set(key, (count + 1, ends_at), now)
        return count + 1, ends_at

    async def get(self, key: str) -> int:
        """See Counts."""
        count, ends_at = self._counts.get(key) or (0, 0.0)
        return count if ends_at > self._clock() else 0

    async def check(self) -> bool:
        """See Counts."""
        return True


def _weigh(held: tuple[int, float], now: float) -> int:
    count, ends_at = held
    return count if ends_at > now else 0
