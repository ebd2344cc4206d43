"""Hashes passwords with bcrypt, and verifies them against all schemes, in a bounded pool of low-priority threads, so
that logins do not block other requests."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from latchkey.hashing.bcrypt_hashes import bcrypt_of
from latchkey.hashing.schemes import NO_PASSWORD, parse_hash
from latchkey.hashing.stored_hash import HashRefused, StoredHash
from latchkey.logs import Logger
from latchkey.refusal import ServiceUnavailable

QUEUE_MAX = 100
NICENESS = 10
log = Logger()
T = TypeVar("T")


class PasswordHasher:
    """Hashes and verifies passwords. All schemes release the GIL, so the pool has one thread for each core.

    Raises ServiceUnavailable before any hashing when the queue is full, or when no thread is free within
    `queue_seconds`.
    """

    def __init__(self, rounds: int, *, queue_seconds: float) -> None:
        self._rounds = rounds
        self._queue_seconds = queue_seconds
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(cores, thread_name_prefix="hashing", initializer=_lower_priority)
        self._free = asyncio.Semaphore(cores)
        self._waiting = 0
        # A login for an unknown user verifies a hash, so it takes the time of a real one (CWE-208); see HashCosts.
        self._usual = bcrypt_of(rounds)

    async def hash(self, password: str) -> str:
        """Returns a new bcrypt hash of a password of at most 72 bytes."""
        return await self._in_thread(
            lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._rounds)).decode("ascii")
        )

    async def verify(
        self, password: str, stored: str | None, *, migrated: bool = False, otherwise: StoredHash | None = None
    ) -> bool:
        """Tells whether the password matches the hash.

        With `stored` None or unusable it returns False, after the time of the hash `otherwise` (None: bcrypt with the
        setting's rounds). bcrypt matches no password over 72 bytes, but of `migrated` hashes it compares the first 72,
        as node-api-postgres did.
        """
        known = _read(stored)
        against = known or otherwise or self._usual
        matches = await self._in_thread(lambda: self._check(password.encode(), against, truncated=migrated))
        return known is not None and matches

    def needs_renewal(self, stored: str) -> bool:
        """Tells whether a hash is of another scheme, or has another number of rounds than the setting."""
        return not stored.startswith(f"$2b${self._rounds:02d}$")

    def close(self) -> None:
        """Waits for running hashes."""
        self._threads.shutdown(wait=True)

    def _check(self, raw: bytes, against: StoredHash, *, truncated: bool) -> bool:
        try:
            return against.matches(raw, truncated=truncated)
        except ValueError:
            # Another version of a library may be stricter than our parser and refuse at once. This takes the usual
            # time.
            self._usual.matches(raw, truncated=truncated)
            return False
        except MemoryError:
            raise ServiceUnavailable from None

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


def _read(stored: str | None) -> StoredHash | None:
    """Returns a hash that can be verified in bounded time, or None. A corrupt hash must not cause a 500."""
    if stored is None or stored == NO_PASSWORD:
        return None
    try:
        return parse_hash(stored)
    except HashRefused as refused:
        log.error("a stored password hash is not usable: its user must reset the password", cause=str(refused))
        return None


def _lower_priority() -> None:
    if sys.platform == "linux":
        # On Linux each thread has its own priority. The event loop keeps the normal one.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
