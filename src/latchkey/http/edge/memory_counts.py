"""Counts in this process' memory, for `memory://`.

The limits library's own store looks at every key on every hit, which thousands of client addresses make slow. This one
drops what has expired a little at a time.
"""

from collections import OrderedDict

from limits.aio.storage import Storage

from latchkey.clock import Clock

SWEEP_EVERY = 64
SWEEP_AT_ONCE = 256


class MemoryCounts(Storage):
    """A store of `limits` in a dictionary: by key the count and when it ends, in seconds since the epoch."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._hits = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What its faults are: it has none."""
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to a count, which ends so many seconds after it began; returns it."""
        self._hits += 1
        if self._hits % SWEEP_EVERY == 0:
            self._sweep()
        count, ends_at = self._live(key) or (0, self._clock() + expiry)
        self._counts[key] = (count + amount, ends_at)
        return count + amount

    async def get(self, key: str) -> int:
        """A count; 0 where there is none."""
        return (self._live(key) or (0, 0.0))[0]

    async def get_expiry(self, key: str) -> float:
        """When a count ends; now where there is none."""
        found = self._live(key)
        return found[1] if found else self._clock()

    async def check(self) -> bool:
        """Whether it can be used."""
        return True

    async def reset(self) -> int:
        """Drops all counts; returns how many."""
        dropped = len(self._counts)
        self._counts.clear()
        return dropped

    async def clear(self, key: str) -> None:
        """Drops one count."""
        self._counts.pop(key, None)

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
