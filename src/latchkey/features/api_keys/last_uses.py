"""Stores when API keys were last used, without a statement for each request."""

import asyncio
from collections.abc import Callable

import structlog

from latchkey.database.pool import Database, DatabaseUnavailable
from latchkey.features.api_keys import queries

STORE_EVERY_SECONDS = 60.0
LAST_STORE_SECONDS = 1.0
log = structlog.get_logger(__name__)


class LastUses:
    """Collects the uses of keys, and stores them with at most one UPDATE each `every` seconds for all keys."""

    def __init__(
        self, database: Database, stopwatch: Callable[[], float], *, every: float = STORE_EVERY_SECONDS
    ) -> None:
        self._database = database
        self._stopwatch = stopwatch
        self._every = every
        self._used_at: dict[str, float] = {}
        self._is_used = asyncio.Event()

    def note(self, key_id: str) -> None:
        """Notes that a key is used now."""
        self._used_at[key_id] = self._stopwatch()
        self._is_used.set()

    async def run(self) -> None:
        """Stores uses until cancelled, and what is left then."""
        try:
            while True:
                await self._is_used.wait()
                await self._store()
                await asyncio.sleep(self._every)
        finally:
            if self._used_at:
                async with asyncio.timeout(LAST_STORE_SECONDS):
                    await self._store()

    async def _store(self) -> None:
        used_at, self._used_at = self._used_at, {}
        self._is_used.clear()
        now = self._stopwatch()
        try:
            await queries.note_uses(self._database, {key_id: now - at for key_id, at in used_at.items()})
        except DatabaseUnavailable as error:
            # Kept for the next time; a later use of the same key counts more.
            self._used_at = used_at | self._used_at
            log.warning("the last uses of API keys are not stored yet", cause=str(error))
