"""Counts that end, for the rate limit and the throttle of logins: in a store that instances share, or in memory."""

import re
from collections import OrderedDict
from typing import Protocol, cast

from limits.storage import storage_from_string

from latchkey.clock import Clock

STORE_TIMEOUT_SECONDS = 1.0
SWEEP_EVERY = 64
SWEEP_AT_ONCE = 256


class Counts(Protocol):
    """What we use of a store of the `limits` library; which errors it raises depends on the store."""

    async def incr(self, key: str, expiry: int) -> int:
        """Adds one to a count, which ends `expiry` seconds after it began; returns it."""
        ...

    async def get(self, key: str) -> int:
        """A count; 0 where there is none."""
        ...

    async def get_expiry(self, key: str) -> float:
        """When a count ends, in seconds since the epoch; no later than now where there is none."""
        ...

    async def clear(self, key: str) -> None:
        """Drops one count."""
        ...

    async def check(self) -> bool:
        """Whether it can be reached."""
        ...


def open_counts(url: str, clock: Clock) -> Counts:
    """The counts of a RATE_LIMIT_STORAGE URL. Valkey speaks Redis' protocol, so one client serves both."""
    if url.startswith("memory"):
        return MemoryCounts(clock)
    return cast(
        Counts,
        storage_from_string(
            "async+" + re.sub("^valkey", "redis", url),
            implementation="redispy",
            socket_timeout=STORE_TIMEOUT_SECONDS,
            socket_connect_timeout=STORE_TIMEOUT_SECONDS,
        ),
    )


class MemoryCounts:
    """Counts in this process' memory: by key the count and when it ends.

    The limits library's own store looks at every key on every hit, which thousands of client addresses make slow. This
    one drops what has ended a little at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._hits = 0

    def __len__(self) -> int:
        """How many counts are held; some of them may have ended."""
        return len(self._counts)

    async def incr(self, key: str, expiry: int) -> int:
        """See Counts."""
        self._hits += 1
        if self._hits % SWEEP_EVERY == 0:
            self._sweep()
        count, ends_at = self._live(key) or (0, self._clock() + expiry)
        self._counts[key] = (count + 1, ends_at)
        return count + 1

    async def get(self, key: str) -> int:
        """See Counts."""
        return (self._live(key) or (0, 0.0))[0]

    async def get_expiry(self, key: str) -> float:
        """See Counts."""
        found = self._live(key)
        return found[1] if found else self._clock()

    async def clear(self, key: str) -> None:
        """See Counts."""
        self._counts.pop(key, None)

    async def check(self) -> bool:
        """See Counts."""
        return True

    def _live(self, key: str) -> tuple[int, float] | None:
        found = self._counts.get(key)
        return found if found is not None and found[1] > self._clock() else None

    def _sweep(self) -> None:
        now = self._clock()
        for _ in range(min(SWEEP_AT_ONCE, len(self._counts))):
            key, count = self._counts.popitem(last=False)
            if count[1] > now:
                # Behind all others: looked at again when they have been.
                self._counts[key] = count
