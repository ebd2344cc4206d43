"""Slows guessing: counts failed logins for each account, besides the limit for each client address.

The first five failures of an hour are free. Then the next attempt must wait for 1 s, the one after it for 2 s, 4 s, up
to a minute: fewer than a hundred an hour (ASVS 5.0 6.3.1). Each attempt reserves one of the five before anything is
hashed, so parallel attempts get no more than sequential ones.

The count belongs to the typed address, even if no account has it, so it reveals nothing. A device that has signed in to
the account before has its own count, so a stranger cannot lock the owner out. All such devices of an account share ten,
so stolen cookies gain an attacker little.
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
from latchkey.features.sign_in.guesses import BUSY, FREE_NOW, Allowance, Ending, Guesses
from latchkey.keys import Mac, Secret
from latchkey.refusal import ServiceUnavailable

FREE_FAILURES = 5
FREE_FAILURES_OF_DEVICES = 10
LOOK_AGAIN_SECONDS = 0.03
log = structlog.get_logger(__name__)
T = TypeVar("T")


class PasswordAttempt:
    """An attempt in progress. Its caller reports the result, or nothing if neither is known."""

    def __init__(self, guesses: Guesses, allowances: tuple[Allowance, ...]) -> None:
        self._guesses = guesses
        self._allowances = allowances
        self._id = secrets.token_hex(8)
        self._may_hold_place = False

    async def begin(self) -> None:
        """Reserves a place, and waits while all are taken. Raises TooManyAttempts."""
        while True:
            self._may_hold_place = True
            wait = await _asked(self._guesses.begin(self._id, self._allowances))
            if wait == FREE_NOW:
                return
            self._may_hold_place = False
            if wait != BUSY:
                raise TooManyAttempts(headers=(("Retry-After", str(max(1, math.ceil(wait)))),))
            await asyncio.sleep(LOOK_AGAIN_SECONDS * random.uniform(0.5, 1))  # noqa: S311 no secret

    async def failed(self) -> None:
        """Counts a failure. Raises ServiceUnavailable if it cannot be counted."""
        await self._end(Ending.FAILED)

    async def succeeded(self) -> None:
        """Forgets earlier failures, because the password was right. The steps of the door come later."""
        await self._end(Ending.SUCCEEDED)

    async def give_back(self) -> None:
        """Releases the place if it is still held. A store that does not answer forgets it by itself."""
        if self._may_hold_place:
            with suppress(ServiceUnavailable):
                await self._end(Ending.UNKNOWN)

    async def _end(self, ending: Ending) -> None:
        await _asked(self._guesses.end(self._id, self._allowances, ending))
        self._may_hold_place = False


class Throttle:
    """Counts in `guesses`, which instances share if RATE_LIMIT_STORAGE is Redis or Valkey.

    Accounts there are MACs under a key made from `secret`.
    """

    def __init__(self, guesses: Guesses, secret: Secret, *, queue_seconds: float) -> None:
        self._guesses = guesses
        self._queue_seconds = queue_seconds
        # Only names under the current secret are looked up. A rotation makes all counts start again, and instances on
        # either side of it count apart meanwhile. That gives a guesser the free guesses once more, and not each login a
        # second look-up in the store.
        self._mac = Mac(secret, "throttle")
        # In front of the store, so that no more attempts poll it than could be free.
        self._waiting: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, email: str, device: str | None) -> AsyncIterator[PasswordAttempt]:
        """Makes an attempt at the account with that address (lower case), by a known device or, None, by an unknown
        one.

        Raises TooManyAttempts if it comes too soon after failed ones, and ServiceUnavailable if no place gets free in
        time or the store does not answer.
        """
        allowances = self._allowances(email, device)
        attempt = PasswordAttempt(self._guesses, allowances)
        places = self._waiting.setdefault(allowances[0].key, asyncio.Semaphore(FREE_FAILURES))
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
        """Forgets failures of unknown devices at that address, if the store is reachable."""
        with suppress(ServiceUnavailable):
            await _asked(self._guesses.forget(self._allowances(email, None)))

    def _allowances(self, email: str, device: str | None) -> tuple[Allowance, ...]:
        account = f"{{{self._mac.of(email.encode()).hex()}}}"
        if device is None:
            return (Allowance(f"{account}/strangers", FREE_FAILURES),)
        return (
            Allowance(f"{account}/{self._mac.of(f'{email}|{device}'.encode()).hex()}", FREE_FAILURES),
            Allowance(f"{account}/devices", FREE_FAILURES_OF_DEVICES),
        )


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except Exception as error:
        # The stores' clients have no common class of errors.
        log.warning("the throttle's store cannot be reached", cause=type(error).__name__)
        raise ServiceUnavailable from error
