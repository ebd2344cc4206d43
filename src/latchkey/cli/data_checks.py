"""Whether what was loaded into the database by other ways than ours fits."""

from collections.abc import Sequence

import asyncpg

from latchkey.housekeeping.tally import Tally
from latchkey.terminal.finding import Finding, ok, warning


async def check_data(connection: asyncpg.Connection, tallies: Sequence[Tally]) -> list[Finding]:
    """Compares what can be compared. Reads only."""
    return [await _number(connection, tally) for tally in tallies]


async def _number(connection: asyncpg.Connection, tally: Tally) -> Finding:
    """Triggers keep it. Rows that are loaded without them (pg_restore --disable-triggers, logical replication) are
    not counted."""
    name = f"number of {tally.name}"
    off: int = await connection.fetchval(tally.difference)
    if not off:
        return ok(name, "is kept rightly")
    return warning(
        name,
        f"{abs(off)} {'more' if off > 0 else 'fewer'} are there than are counted: rows were changed without triggers",
        "run: latchkey purge; a server corrects it when it starts, and once a day",
    )
