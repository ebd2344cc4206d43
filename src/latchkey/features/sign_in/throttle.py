"""Guessing gets slow: failed logins are counted for each account, beside the limit for each client address.

The first five failures of an hour are free; then the next attempt has to wait for a second, the one after it for two,
for four, up to a minute: fewer than a hundred an hour (ASVS 5.0 6.3.1). What is counted is the address as typed,
whether or not anybody has it, so that it tells nothing. A device that has signed in to the account before is counted
apart, so that no stranger can hold a lock on somebody's account.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from latchkey.clock import Clock
from latchkey.counts import Counts
from latchkey.features.sign_in.errors import TooManyAttempts
from latchkey.keys import Mac
from latchkey.refusal import ServiceUnavailable

FREE_FAILURES = 5
WINDOW_SECONDS = 3600
LONGEST_DELAY_SECONDS = 60
log = structlog.get_logger(__name__)
T = TypeVar("T")


def delay_after(failures: int) -> int:
    """How many seconds apart attempts must be after so many failures within the hour."""
    return min(2 ** min(failures - FREE_FAILURES, 16), LONGEST_DELAY_SECONDS) if failures >= FREE_FAILURES else 0


class PasswordAttempt:
    """One attempt under way; it says how it ended, or, when neither is known, nothing."""

    def __init__(self, counts: Counts, counter: str) -> None:
        self._counts = counts
        self._counter = counter

    async def failed(self) -> None:
        """Counts a failure. Raises ServiceUnavailable when it cannot be counted."""
        failures, _ = await _asked(self._counts.hit(_failures(self._counter), WINDOW_SECONDS))
        if delay := delay_after(failures):
            # From now on, not from when this attempt began.
            await _asked(self._counts.clear(_turn(self._counter)))
            await _asked(self._counts.hit(_turn(self._counter), delay))

    async def succeeded(self) -> None:
        """Forgets earlier failures: whoever made them, the owner is here."""
        await _asked(_clear(self._counts, self._counter))


class Throttle:
    """Counts in `counts`, which all instances share; there the accounts are MACs under a key made from `secret`."""

    def __init__(self, counts: Counts, secret: str, clock: Clock, *, queue_seconds: float) -> None:
        self._counts = counts
        self._clock = clock
        self._queue_seconds = queue_seconds
        self._mac = Mac(secret, "throttle")
        # Attempts at one account that run side by side have not failed yet: no more of them than are free.
        self._running: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, email: str, device: str | None) -> AsyncIterator[PasswordAttempt]:
        """An attempt at the account with that address (lower case), by a known device or, None, by a stranger.

        Raises TooManyAttempts when it comes too soon after failed ones, and ServiceUnavailable when the storage
        cannot tell.
        """
        counter = self._counter(email, device)
        running = self._running.setdefault(counter, asyncio.Semaphore(FREE_FAILURES))
        try:
            async with asyncio.timeout(self._queue_seconds):
                await running.acquire()
        except TimeoutError:
            raise ServiceUnavailable from None
        try:
            await self._take_turn(counter)
            yield PasswordAttempt(self._counts, counter)
        finally:
            running.release()

    async def forget(self, email: str) -> None:
        """Forgets what strangers failed at that address, if the storage can be reached."""
        with suppress(ServiceUnavailable):
            await _asked(_clear(self._counts, self._counter(email, None)))

    def _counter(self, email: str, device: str | None) -> str:
        return self._mac.of(f"{email}|{device or ''}".encode()).hex()

    async def _take_turn(self, counter: str) -> None:
        delay = delay_after(await _asked(self._counts.get(_failures(counter))))
        if not delay:
            return
        # Whoever is first to count a turn that nobody has has it, until it runs out.
        taken, ends_at = await _asked(self._counts.hit(_turn(counter), delay))
        if taken > 1:
            left = math.ceil(ends_at - self._clock())
            raise TooManyAttempts(headers=(("Retry-After", str(max(1, left))),))


async def _clear(counts: Counts, counter: str) -> None:
    await counts.clear(_failures(counter))
    await counts.clear(_turn(counter))


def _failures(counter: str) -> str:
    return f"failures/{counter}"


def _turn(counter: str) -> str:
    return f"turn/{counter}"


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except Exception as error:
        # The clients of the stores have no common class of faults.
        log.warning("the throttle's store cannot be reached", cause=type(error).__name__)
        raise ServiceUnavailable from error
