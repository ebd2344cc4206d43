"""Chooses the hash cost of an unknown address, so that the time of a refused login does not reveal accounts (CWE-208).

Accounts keep hashes of an earlier BCRYPT_ROUNDS until their next login. A MAC of an unknown address draws its rounds:
always the same for one address, and over all addresses in the proportions of the stored hashes.
"""

import asyncio

import structlog

from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.hashing import queries
from latchkey.keys import Mac, Secret

SAMPLE_EVERY_SECONDS = 86_400.0
SAMPLE_AGAIN_SECONDS = 5.0
log = structlog.get_logger(__name__)


class HashCosts:
    """Draws rounds. Before the first sample, or without any account, they are `rounds`."""

    def __init__(self, secret: Secret, rounds: int) -> None:
        # The current secret alone draws. Whatever secret draws, the rotation that drops it changes what some unknown
        # addresses cost, once.
        self._mac = Mac(secret, "cost of a hash")
        self._rounds = rounds
        self._users = {rounds: 1}

    def rounds_for(self, email: str) -> int:
        """Returns the rounds of an unknown address (lower case)."""
        drawn = int.from_bytes(self._mac.of(email.encode())[:8]) / 2**64 * sum(self._users.values())
        for rounds, users in self._users.items():
            drawn -= users
            if drawn < 0:
                return rounds
        return self._rounds

    async def sample(self, database: Database) -> None:
        """Reads the costs of the stored hashes."""
        counted = await queries.count_rounds(database)
        self._users = dict(sorted(counted.items())) or {self._rounds: 1}

    async def run(self, database: Database) -> None:
        """Samples now and every day, until cancelled. Retries soon while the database is unavailable."""
        while True:
            pause = SAMPLE_EVERY_SECONDS
            try:
                await self.sample(database)
            except DatabaseUnavailable as error:
                log.warning("the sample of hashes is waiting for the database", cause=str(error))
                pause = SAMPLE_AGAIN_SECONDS
            except Exception as error:  # logins go on with what is known
                log.error("the stored hashes could not be sampled", exc_info=error)
            await asyncio.sleep(pause)
