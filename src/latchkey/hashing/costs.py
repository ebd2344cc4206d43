"""Chooses the hash cost of an unknown address, so that the time of a refused login does not reveal accounts (CWE-208).

Accounts keep hashes of an earlier BCRYPT_ROUNDS, or of the service that they were imported from, until their next
login. A MAC of an unknown address draws a scheme with its parameters: always the same for one address, and over all
addresses in the proportions of the stored hashes.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import structlog

from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.hashing import queries
from latchkey.hashing.bcrypt_hashes import bcrypt_of
from latchkey.hashing.schemes import parse_hash
from latchkey.hashing.stored_hash import HashRefused, StoredHash
from latchkey.keys import Mac, Secret

SAMPLE_EVERY_SECONDS = 86_400.0
SAMPLE_AGAIN_SECONDS = 5.0
log = structlog.get_logger(__name__)


class HashCosts:
    """Draws costs. Before the first sample, or without any account, they are bcrypt with `rounds`."""

    def __init__(self, secret: Secret, rounds: int) -> None:
        # The current secret alone draws. Whatever secret draws, the rotation that drops it changes what some unknown
        # addresses cost, once.
        self._mac = Mac(secret, "cost of a hash")
        self._usual: StoredHash = bcrypt_of(rounds)
        self._users: dict[StoredHash, int] = {self._usual: 1}
        self._outdated = asyncio.Event()

    def cost_of(self, email: str) -> StoredHash:
        """Returns a hash that costs what an account with that address (lower case) may cost."""
        drawn = int.from_bytes(self._mac.of(email.encode())[:8]) / 2**64 * sum(self._users.values())
        for cost, users in self._users.items():
            drawn -= users
            if drawn < 0:
                return cost
        return self._usual

    async def sample(self, database: Database) -> None:
        """Reads the costs of the stored hashes."""
        stored = await queries.sample_hashes(database)
        # Reading 10 000 hashes takes a tenth of a second, in which requests go on.
        counted = await asyncio.to_thread(count_costs, stored)
        self._users = dict(sorted(counted.items(), key=repr)) or {self._usual: 1}

    def hear(self, payload: str) -> None:
        """Samples soon if the notification is about many new hashes. One that gets lost is made up for within a day."""
        if payload == queries.CHANGED_HASHES:
            self._outdated.set()

    async def run(self, database: Database) -> None:
        """Samples now, every day, and when told to, until cancelled. Retries soon while the database is unavailable."""
        while True:
            self._outdated.clear()
            pause = SAMPLE_EVERY_SECONDS
            try:
                await self.sample(database)
            except DatabaseUnavailable as error:
                log.warning("the sample of hashes is waiting for the database", cause=str(error))
                pause = SAMPLE_AGAIN_SECONDS
            except Exception as error:  # logins go on with what is known
                log.error("the stored hashes could not be sampled", exc_info=error)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._outdated.wait()


def count_costs(stored: Iterable[str]) -> Counter[StoredHash]:
    """Counts usable hashes by their cost."""
    counted: Counter[StoredHash] = Counter()
    for each in stored:
        try:
            counted[parse_hash(each).stand_in()] += 1
        except HashRefused:
            continue
    return counted
