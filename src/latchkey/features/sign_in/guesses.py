"""Counts guesses at an account: failed ones, and those in progress.

One step of the store counts both before anything is hashed. So parallel attempts, on any number of instances that share
the store, never exceed the free ones. A guess that never ends, because its process was killed, is forgotten after
LEASE_SECONDS.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from latchkey.bounded_table import ENTRIES_MAX, BoundedTable
from latchkey.clock import Clock

WINDOW_SECONDS = 3600
LONGEST_DELAY_SECONDS = 60
LEASE_SECONDS = 90
"""Longer than an attempt: HASH_QUEUE_SECONDS is at most 30, and a hash and its statements take seconds."""


class Allowance(NamedTuple):
    """The guesses that are counted together, and the number of free failures in an hour.

    Keys of one attempt share the part in braces, so that a Redis cluster stores them on one node.
    """

    key: str
    free: int


class Ending(StrEnum):
    """The result of a guess: SUCCEEDED forgets earlier failures, UNKNOWN counts nothing."""

    FAILED = "failed"
    SUCCEEDED = "succeeded"
    UNKNOWN = "unknown"


FREE_NOW = 0.0
BUSY = -1.0


class Guesses(Protocol):
    """Counts guesses. The errors that it raises depend on where the counts are stored."""

    async def begin(self, guess: str, allowances: Sequence[Allowance]) -> float:
        """Reserves a place for a guess in all allowances, or in none.

        Returns FREE_NOW, or BUSY while other guesses hold the last free places. After more failures than are free,
        returns the seconds until the next guess may be made.
        """
        ...

    async def end(self, guess: str, allowances: Sequence[Allowance], ending: Ending) -> None:
        """Releases the places, and counts a failure or forgets all failures."""
        ...

    async def forget(self, allowances: Sequence[Allowance]) -> None:
        """Forgets failures. Guesses in progress keep their places."""
        ...


def delay_after(failures: int, free: int) -> int:
    """Returns the seconds between guesses after so many failures within the hour."""
    return min(2 ** min(failures - free, 16), LONGEST_DELAY_SECONDS) if failures >= free else 0


@dataclass(slots=True)
class _Count:
    """The use of an allowance: failures until `ends_at`, and guesses in progress with the end of each lease.

    After the free failures, the next guess may be made at `next_at`.
    """

    failures: int = 0
    ends_at: float = 0.0
    next_at: float = 0.0
    running: dict[str, float] = field(default_factory=dict)

    def tidy(self, now: float) -> None:
        """Removes what has ended."""
        if self.ends_at <= now:
            self.clear()
        self.running = {guess: until for guess, until in self.running.items() if until > now}

    def clear(self) -> None:
        """Removes all failures."""
        self.failures, self.ends_at, self.next_at = 0, 0.0, 0.0

    def weigh(self, now: float) -> int:
        """Returns the number of failures and of guesses in progress."""
        self.tidy(now)
        return self.failures + len(self.running)

    def wait(self, now: float, free: int) -> float:
        """Returns the result of `begin` for this allowance."""
        if self.failures < free:
            return FREE_NOW if self.failures + len(self.running) < free else BUSY
        if self.next_at > now:
            return self.next_at - now
        return BUSY if self.running else FREE_NOW


class MemoryGuesses:
    """Guesses in this process' memory, for at most `entries_max` allowances.

    A full table removes the one with the fewest failures of 16. An attacker who floods the memory with other addresses
    therefore does not reset the failures of an account.
    """

    def __init__(self, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        self._clock = clock
        self._counts: BoundedTable[_Count] = BoundedTable(_Count.weigh, entries_max=entries_max)

    def __len__(self) -> int:
        """Returns the number of allowances, ended ones included."""
        return len(self._counts)

    async def begin(self, guess: str, allowances: Sequence[Allowance]) -> float:
        """See Guesses."""
        now = self._clock()
        self._counts.sweep(now)
        counts = [self._count(allowance.key, now) for allowance in allowances]
        waits = [count.wait(now, allowance.free) for count, allowance in zip(counts, allowances, strict=True)]
        if refused := [wait for wait in waits if wait != FREE_NOW]:
            return max(refused)
        for count, allowance in zip(counts, allowances, strict=True):
            count.running[guess] = now + LEASE_SECONDS
            if count.failures >= allowance.free:
                count.next_at = now + delay_after(count.failures, allowance.free)
        return FREE_NOW

    async def end(self, guess: str, allowances: Sequence[Allowance], ending: Ending) -> None:
        """See Guesses."""
        now = self._clock()
        for allowance in allowances:
            count = self._count(allowance.key, now)
            count.running.pop(guess, None)
            if ending is Ending.SUCCEEDED:
                count.clear()
            elif ending is Ending.FAILED:
                count.ends_at = count.ends_at or now + WINDOW_SECONDS
                count.failures += 1
                # Counted from now, not from the start of this attempt.
                count.next_at = now + delay_after(count.failures, allowance.free)
            if not count.failures and not count.running:
                self._counts.remove(allowance.key)

    async def forget(self, allowances: Sequence[Allowance]) -> None:
        """See Guesses."""
        for allowance in allowances:
            if count := self._counts.get(allowance.key):
                count.clear()

    def _count(self, key: str, now: float) -> _Count:
        count = self._counts.get(key)
        if count is None:
            count = _Count()
            self._counts.set(key, count, now)
        count.tidy(now)
        return count
