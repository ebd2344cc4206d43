"""A table in memory whose size strangers cannot drive up."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

ENTRIES_MAX = 100_000
COMPARED = 16
SWEEP_EVERY = 64
SWEEP_AT_ONCE = 256
V = TypeVar("V")


class BoundedTable(Generic[V]):
    """At most `entries_max` values by key. `weigh` returns the weight of a value at a time: 0 for one that has ended.

    A full table makes room for a new key: of 16 values it removes those that have ended, or else the lightest. The next
    new key compares the next 16.
    """

    def __init__(self, weigh: Callable[[V, float], int], *, entries_max: int = ENTRIES_MAX) -> None:
        self._weigh = weigh
        self._entries_max = entries_max
        self._entries: OrderedDict[str, V] = OrderedDict()
        self._used = 0

    def __len__(self) -> int:
        """Returns the number of values, ended ones included."""
        return len(self._entries)

    def get(self, key: str) -> V | None:
        return self._entries.get(key)

    def set(self, key: str, value: V, now: float) -> None:
        """Adds or replaces a value. Removes another one if the table is full."""
        if key not in self._entries and len(self._entries) >= self._entries_max:
            self._make_room(now)
        self._entries[key] = value

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)

    def sweep(self, now: float) -> None:
        """Removes values that have ended, a few on every 64th call. Its user calls it once for each use."""
        self._used += 1
        if self._used % SWEEP_EVERY:
            return
        for _ in range(min(SWEEP_AT_ONCE, len(self._entries))):
            key, value = self._entries.popitem(last=False)
            if self._weigh(value, now):
                # Moved to the end: it is checked again after all others.
                self._entries[key] = value

    def _make_room(self, now: float) -> None:
        compared = [self._entries.popitem(last=False) for _ in range(min(COMPARED, len(self._entries)))]
        weights = [self._weigh(value, now) for _, value in compared]
        if least := min(weights):
            del compared[weights.index(least)]
        else:
            compared = [entry for entry, weight in zip(compared, weights, strict=True) if weight]
        self._entries.update(compared)
