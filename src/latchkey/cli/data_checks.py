"""Checks stored counts and id sequences. They may be wrong after another program has loaded rows."""

from collections.abc import Sequence

import asyncpg

from latchkey.database.sequence_queries import find_sequences
from latchkey.housekeeping.tally import Tally
from latchkey.terminal.finding import Finding, ok, problem, warning


async def check_data(connection: asyncpg.Connection, tallies: Sequence[Tally]) -> list[Finding]:
    """Compares stored counts and id sequences with the tables. Only reads."""
    return [*[await _number(connection, tally) for tally in tallies], await _sequences(connection)]


async def _number(connection: asyncpg.Connection, tally: Tally) -> Finding:
    """Checks a count that triggers keep.

    Rows loaded without triggers (pg_restore --disable-triggers, logical replication) are not counted.
    """
    name = f"number of {tally.name}"
    off: int = await connection.fetchval(tally.difference)
    if not off:
        return ok(name, "is correct")
    return warning(
        name,
        f"the stored count is {abs(off)} too {'low' if off > 0 else 'high'}: rows were changed without triggers",
        "run: latchkey purge; a server corrects it when it starts, and once a day",
    )


async def _sequences(connection: asyncpg.Connection) -> Finding:
    """Checks the id sequences. A table refuses an id that exists, so registrations and audit rows would fail."""
    name = "sequences"
    behind = [each for each in await find_sequences(connection) if each.is_behind]
    if not behind:
        return ok(name, "the next ids are free")
    return problem(
        name,
        ", ".join(
            f"{each.table}.{each.column} goes up to {each.highest}, but the next id is {each.next}" for each in behind
        ),
        "run in psql: " + " ".join(f"{each.correction};" for each in behind),
    )
