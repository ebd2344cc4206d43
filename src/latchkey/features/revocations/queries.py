"""SQL of revocations. All times are the database's.

`ended_at` is when the transaction that ended a session began, so it may be some seconds older than what a reader has
seen already when it commits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from latchkey.database.pool import Queryable

OVERLAP = timedelta(seconds=10)
"""Longer than any transaction that ends a session runs."""
FIRST_MINUTES = 61
"""Longer than any access token lives, whatever the settings are or were."""
COUNTED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that has ended, and where it stands in the order of a pass."""

    ended_at: datetime
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Endings:
    """Ended sessions in their order, as they were at `read_at`."""

    read_at: datetime
    ended: list[Ended]


_LISTED = (
    "SELECT now() AS read_at, listed.ended_at, listed.id FROM (SELECT) AS one LEFT JOIN LATERAL ("
    "SELECT ended_at, id FROM sessions WHERE {condition} ORDER BY ended_at, id LIMIT $1) AS listed ON true"
    " ORDER BY listed.ended_at, listed.id"
)
_SINCE = _LISTED.format(
    condition=(
        f"ended_at > CASE WHEN $2::timestamptz <= now() THEN $2 ELSE now() - interval '{FIRST_MINUTES} minutes' END"
    )
)
# The first condition leads to the index, the second to the place within one moment.
_AFTER = _LISTED.format(condition="ended_at >= $2 AND (ended_at, id) > ($2, $3::uuid)")


async def ended_since(database: Queryable, since: datetime | None, limit: int) -> Endings:
    """Returns the first sessions that ended after a time.

    Without a time, and if the time is in the future because the database's clock was set back, returns those that ended
    in the last 61 minutes.
    """
    return _endings(await database.fetch(_SINCE, limit, since))


async def ended_after(database: Queryable, place: Ended, limit: int) -> Endings:
    """Returns the next sessions after that one, in the order of time and id."""
    return _endings(await database.fetch(_AFTER, limit, place.ended_at, place.session_id))


async def count_ended(database: Queryable, times: list[datetime]) -> dict[datetime, int]:
    """Counts, for each of the times, the sessions that ended later than 10 s before it.

    Leaves out times that are older than a minute, whose count would be large and say little, and times in the future.
    """
    rows = await database.fetch(
        "SELECT at, (SELECT count(*) FROM sessions WHERE ended_at > at - $2::interval) AS ended"  # noqa: S608 a constant
        " FROM unnest($1::timestamptz[]) AS at"
        f" WHERE at BETWEEN now() - interval '{COUNTED_SECONDS} seconds' AND now()",
        times,
        OVERLAP,
    )
    return {row["at"]: row["ended"] for row in rows}


def _endings(rows: list[asyncpg.Record]) -> Endings:
    return Endings(rows[0]["read_at"], [Ended(row["ended_at"], row["id"]) for row in rows if row["id"] is not None])
