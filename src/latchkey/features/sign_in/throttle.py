"""Guessing gets slow: failed logins are counted for each account, beside the limit for each client address.

The first five failures of an hour are free; then the next attempt has to wait for a second, the one after it for two,
for four, up to a minute: fewer than a hundred an hour (ASVS 5.0 6.3.1). Each attempt reserves one of the five before
anything is hashed, so that attempts at once are no more than attempts one after another. What is counted is the address
as typed, whether or not anybody has it, so that it tells nothing. A device that has signed in to the account before is
counted apart, so that no stranger can hold a lock on somebody's account. All such devices of an account together have
ten, so that somebody who has collected their cookies gains little.
"""

import asyncio
import math
import random
import secrets
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from latchkey.features.sign_in.errors import TooManyAttempts
from latchkey.features.sign_in.guesses import BUSY, FREE_NOW, Ending, Guesses, Tally
from latchkey.keys import Mac
from latchkey.refusal import ServiceUnavailable

FREE_FAILURES = 5
FREE_FAILURES_OF_DEVICES = 10
LOOK_AGAIN_SECONDS = 0.03
log = structlog.get_logger(__name__)
T = TypeVar("T")


class PasswordAttempt:
    """One attempt under way; it says how it ended, or, when neither is known, nothing."""

    def __init__(self, guesses: Guesses, tallies: tuple[Tally, ...]) -> None:
        self._guesses = guesses
        self._tallies = tallies
        self._id = secrets.token_hex(8)
        self._may_hold_place = False

    async def begin(self) -> None:
        """Reserves a place, waiting for one while all are taken. Raises TooManyAttempts."""
        while True:
            self._may_hold_place = True
            wait = await _asked(self._guesses.begin(self._id, self._tallies))
            if wait == FREE_NOW:
                return
            self._may_hold_place = False
            if wait != BUSY:
                raise TooManyAttempts(headers=(("Retry-After", str(max(1, math.ceil(wait)))),))
            await asyncio.sleep(LOOK_AGAIN_SECONDS * random.uniform(0.5, 1))  # noqa: S311 no secret

    async def failed(self) -> None:
        """Counts a failure. Raises ServiceUnavailable when it cannot be counted."""
        await self._end(Ending.FAILED)

    async def succeeded(self) -> None:
        """Forgets earlier failures: whoever made them, the owner is here."""
        await self._end(Ending.SUCCEEDED)

    async def give_back(self) -> None:
        """Gives the place back, if it still is held; a store that does not answer forgets it by itself."""
        if self._may_hold_place:
            with suppress(ServiceUnavailable):
                await self._end(Ending.UNKNOWN)

    async def _end(self, ending: Ending) -> None:
        await _asked(self._guesses.end(self._id, self._tallies, ending))
        self._may_hold_place = False


class Throttle:
    """Counts in `guesses`, which all instances share; there the accounts are MACs under a key made from `secret`."""

    def __init__(self, guesses: Guesses, secret: str, *, queue_seconds: float) -> None:
        self._guesses = guesses
        self._queue_seconds = queue_seconds
        self._mac = Mac(secret, "throttle")
        # In front of the store, so that no more of them ask it again and again than could be free.
        self._waiting: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, email: str, device: str | None) -> AsyncIterator[PasswordAttempt]:
        """An attempt at the account with that address (lower case), by a known device or, None, by a stranger.

        Raises TooManyAttempts when it comes too soon after failed ones, and ServiceUnavailable when others under way
        leave no place free in time, or the storage cannot tell.
        """
        tallies = self._tallies(email, device)
        attempt = PasswordAttempt(self._guesses, tallies)
        places = self._waiting.setdefault(tallies[0].key, asyncio.Semaphore(FREE_FAILURES))
        acquired = False
        try:
            try:
                async with asyncio.timeout(self._queue_seconds):
                    acquired = await places.acquire()
                    await attempt.begin()
            except TimeoutError:
                raise ServiceUnavailable from None
            yield attempt
        finally:
            await attempt.give_back()
            if acquired:
                places.release()

    async def forget(self, email: str) -> None:
        """Forgets what strangers failed at that address, if the storage can be reached."""
        with suppress(ServiceUnavailable):
            await _asked(self._guesses.forget(self._tallies(email, None)))

    def _tallies(self, email: str, device: str | None) -> tuple[Tally, ...]:
        account = f"{{{self._mac.of(email.encode()).hex()}}}"
        if device is None:
            return (Tally(f"{account}/strangers", FREE_FAILURES),)
        return (
            Tally(f"{account}/{self._mac.of(f'{email}|{device}'.encode()).hex()}", FREE_FAILURES),
            Tally(f"{account}/devices", FREE_FAILURES_OF_DEVICES),
        )


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except Exception as error:
        # The clients of the stores have no common class of faults.
        log.warning("the throttle's store cannot be reached", cause=type(error).__name__)
        raise ServiceUnavailable from error
