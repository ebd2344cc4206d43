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
class Listed:
    """An ended session, and the hash that stands for its id in a `Tally`."""

    ended: Ended
    hash: int


@dataclass(frozen=True, slots=True)
class Endings:
    """Ended sessions in their order, as they were at `read_at`."""

    read_at: datetime
    listed: list[Listed]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many ended sessions there are, and the sum of their hashes: another one after one was added, and also after
    one was added and one removed."""

    number: int = 0
    hashes: int = 0


_LISTED = (
    "SELECT now() AS read_at, listed.ended_at, listed.id, uuid_hash(listed.id) AS hash"
    " FROM (SELECT) AS one LEFT JOIN LATERAL ("
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


async def tally_ended(database: Queryable, times: list[datetime]) -> dict[datetime, Tally]:
    """Tallies, for each of the times, the sessions that ended later than 10 s before it.

    Leaves out times that are older than a minute, whose tally would cost much and say little, and times in the future.
    """
    rows = await database.fetch(
        "SELECT at, tally.number, tally.hashes"  # noqa: S608 a constant
        " FROM unnest($1::timestamptz[]) AS at CROSS JOIN LATERAL ("
        "SELECT count(*) AS number, coalesce(sum(uuid_hash(id)), 0) AS hashes FROM sessions"
        " WHERE ended_at > at - $2::interval) AS tally"
        f" WHERE at BETWEEN now() - interval '{COUNTED_SECONDS} seconds' AND now()",
        times,
        OVERLAP,
    )
    return {row["at"]: Tally(row["number"], row["hashes"]) for row in rows}


def _endings(rows: list[asyncpg.Record]) -> Endings:
    listed = [Listed(Ended(row["ended_at"], row["id"]), row["hash"]) for row in rows if row["id"] is not None]
    return Endings(rows[0]["read_at"], listed)
