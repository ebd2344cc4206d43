"""Hashes passwords with bcrypt in a bounded pool of low-priority threads, so that logins do not block other
requests."""

import asyncio
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from latchkey.logs import Logger
from latchkey.refusal import ServiceUnavailable

PASSWORD_MAX_BYTES = 72
"""The most bytes that bcrypt reads."""
QUEUE_MAX = 100
NICENESS = 10
CHEAPEST_ROUNDS, COSTLIEST_ROUNDS = 4, 16
# The last character of salt and of hash holds unused bits, which every bcrypt sets to 0.
_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]", re.ASCII)
log = Logger()
T = TypeVar("T")


class PasswordHasher:
    """Hashes and verifies passwords. bcrypt releases the GIL, so the pool has one thread for each core.

    Raises ServiceUnavailable before any hashing when the queue is full, or when no thread is free within
    `queue_seconds`.
    """

    def __init__(self, rounds: int, *, queue_seconds: float) -> None:
        self._rounds = rounds
        self._queue_seconds = queue_seconds
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="bcrypt", initializer=_lower_priority)
        self._free = asyncio.Semaphore(cores)
        self._waiting = 0
        # A login for an unknown user verifies this hash, so it takes the time of a real one (CWE-208); see HashCosts.
        self._dummy = bcrypt.hashpw(b"nobody", bcrypt.gensalt(rounds)).decode()

    async def hash(self, password: str) -> str:
        """Returns a new bcrypt hash of a password of at most 72 bytes."""
        return await self._in_thread(
            lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._rounds)).decode("ascii")
        )

    async def verify(
        self, password: str, stored: str | None, *, migrated: bool = False, otherwise: int | None = None
    ) -> bool:
        """Tells whether the password matches the hash.

        With `stored` None or unusable it returns False, after the time of a hash of `otherwise` rounds (None: the
        setting's). A password over 72 bytes never matches. `migrated` hashes compare the first 72 bytes, as
        node-api-postgres did.
        """
        raw = password.encode()
        too_long = len(raw) > PASSWORD_MAX_BYTES and not migrated
        usable = stored is not None and _is_usable(stored)
        against = stored if usable and stored is not None else self._dummy_of(otherwise or self._rounds)
        matches = await self._in_thread(lambda: self._check(raw[:PASSWORD_MAX_BYTES], against))
        return usable and not too_long and matches

    def needs_renewal(self, stored: str) -> bool:
        """Tells whether a hash was made with another number of rounds than the setting."""
        return not stored.startswith(f"$2b${self._rounds:02d}$")

    def close(self) -> None:
        """Waits for running hashes."""
        self._threads.shutdown(wait=True)

    def _dummy_of(self, rounds: int) -> str:
        # Only its cost matters: its result is ignored.
        return f"$2b${rounds:02d}${self._dummy[7:]}"

    def _check(self, raw: bytes, against: str) -> bool:
        try:
            return bcrypt.checkpw(raw, against.encode())
        except ValueError:
            # Another bcrypt may be stricter than `_HASH` and refuse at once. This check takes the usual time.
            bcrypt.checkpw(raw, self._dummy.encode())
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= QUEUE_MAX:
            raise ServiceUnavailable
        self._waiting += 1
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise ServiceUnavailable from None
        finally:
            self._waiting -= 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # A cancelled caller does not stop the thread. Its place is free only when the thread is done.
        running.add_done_callback(lambda _: self._free.release())
        return await running


def _is_usable(stored: str) -> bool:
    """Tells whether a stored hash can be checked in bounded time. A corrupt hash must not cause a 500."""
    matched = _HASH.fullmatch(stored)
    if matched is None or not CHEAPEST_ROUNDS <= int(matched[1]) <= COSTLIEST_ROUNDS:
        log.error("a stored password hash is not usable: its user must reset the password")
        return False
    return True


def _lower_priority() -> None:
    if sys.platform == "linux":
        # On Linux each thread has its own priority. The event loop keeps the normal one.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
