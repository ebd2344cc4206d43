"""Removes due rows in small batches, and corrects tallies, on one instance at a time."""

import asyncio
import itertools
from functools import partial

from latchkey.database.pool import Connection, Database, DatabaseUnavailable
from latchkey.housekeeping import queries
from latchkey.housekeeping.chore import Chore
from latchkey.housekeeping.tally import Tally
from latchkey.logs import Logger

EVERY_SECONDS = 600.0
# A count reads all rows (a million in 0.3 s): at the start, and then once a day.
SWEEPS_BETWEEN_COUNTS = 144
COUNT_SECONDS = 60.0
BATCH = 500
log = Logger()


class Housekeeper:
    """Runs the chores, and corrects the tallies."""

    def __init__(self, database: Database, chores: list[Chore], tallies: list[Tally]) -> None:
        self._database = database
        self._chores = chores
        self._tallies = tallies

    async def run(self) -> None:
        """Runs the chores now and every ten minutes, and counts now and once a day, until cancelled. Waits while the
        database is unavailable."""
        for number in itertools.count():
            try:
                await self.sweep()
                if number % SWEEPS_BETWEEN_COUNTS == 0:
                    await self.correct()
            except DatabaseUnavailable as error:
                log.warning("housekeeping is waiting for the database", cause=str(error))
            except Exception as error:  # a chore that fails must not end all housekeeping
                log.error("housekeeping failed", exc_info=error)
            await asyncio.sleep(EVERY_SECONDS)

    async def sweep(self) -> dict[str, int]:
        """Removes all due rows, each batch in its own transaction. Returns and logs the counts by chore.

        Stops where another instance holds the lock.
        """
        removed = dict.fromkeys((chore.name for chore in self._chores), 0)
        for chore in self._chores:
            count: int | None = BATCH
            while count == BATCH:
                count = await self._batch(chore)
                removed[chore.name] += count or 0
            if count is None:
                break
        done = {name.replace(" ", "_"): count for name, count in removed.items() if count}
        if done:
            log.info("housekeeping", **done)
        return removed

    async def correct(self) -> None:
        """Counts, corrects and logs each tally that is off. Does nothing while another instance holds the lock."""
        for tally in self._tallies:
            if off := await self._database.transact(partial(self._correct, tally)):
                log.warning("rows were loaded without triggers: their kept number is corrected", of=tally.name, by=off)

    @staticmethod
    async def _correct(tally: Tally, connection: Connection) -> int:
        if not await queries.try_lock(connection):
            return 0
        return await queries.correct(connection, tally, seconds=COUNT_SECONDS)

    async def _batch(self, chore: Chore) -> int | None:
        async def remove(connection: Connection) -> int | None:
            # The lock belongs to the transaction: behind a pooler that shares connections, a session's lock would not
            # hold.
            if not await queries.try_lock(connection):
                return None
            return await queries.remove(connection, chore, BATCH)

        return await self._database.transact(remove)
