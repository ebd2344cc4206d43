"""Reads ended sessions so that none is lost, although transactions commit in another order than they begin.

A pass lists sessions by the time of their end. While it runs, and after it, a transaction may commit whose sessions have
an older time than those already listed. Such a transaction began less than 10 s before its commit. So the cursor of a
finished pass has the time B at which the pass began, and a tally of the sessions that it listed and that ended after
B - 10 s. The next request tallies these again. If the tallies differ, something was added, and a new pass lists from
B - 10 s on: some ids come again, none is missed.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.features.revocations import queries
from latchkey.features.revocations.queries import OVERLAP, Ended, Endings, Tally

IDS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come. `began_at` is the database's time at the beginning of the pass.

    `delivered` is the tally of the listed sessions that ended later than 10 s before it. `place` is the session after
    which the pass goes on, None after its last page.
    """

    began_at: datetime
    delivered: Tally
    place: Ended | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some ended sessions, and the cursor of the next page. `more`: the pass goes on."""

    session_ids: list[UUID]
    cursor: Cursor

    @property
    def more(self) -> bool:
        """Tells whether the pass goes on."""
        return self.cursor.place is not None


class Passes:
    """Reads pages of ended sessions, of at most `ids_max` ids."""

    def __init__(self, database: Database, *, ids_max: int = IDS_MAX) -> None:
        self._database = database
        self._tallies: BatchedReads[datetime, Tally] = BatchedReads(partial(queries.tally_ended, database))
        self._ids_max = ids_max

    async def begin(self) -> Page:
        """Begins a pass over the last 61 minutes."""
        return await self._begin(None)

    async def read(self, cursor: Cursor) -> Page | None:
        """Returns the page after a cursor. None: the pass was finished, and nothing was added since."""
        if cursor.place is not None:
            # One more than a page shows whether another page follows.
            endings = await queries.ended_after(self._database, cursor.place, self._ids_max + 1)
            return self._page(endings, cursor.began_at, cursor.delivered)
        if await self._tallies.read(cursor.began_at) == cursor.delivered:
            return None
        return await self._begin(cursor.began_at - OVERLAP)

    async def _begin(self, since: datetime | None) -> Page:
        endings = await queries.ended_since(self._database, since, self._ids_max + 1)
        return self._page(endings, endings.read_at, Tally())

    def _page(self, endings: Endings, began_at: datetime, delivered: Tally) -> Page:
        listed = endings.listed[: self._ids_max]
        recent = [each.hash for each in listed if each.ended.ended_at > began_at - OVERLAP]
        delivered = Tally(delivered.number + len(recent), delivered.hashes + sum(recent))
        place = listed[-1].ended if len(endings.listed) > self._ids_max else None
        return Page([each.ended.session_id for each in listed], Cursor(began_at, delivered, place))
