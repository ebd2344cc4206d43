"""SQL of housekeeping. All times are the database's."""

from latchkey.database.pool import Connection, Queryable
from latchkey.housekeeping.chore import Chore
from latchkey.housekeeping.tally import Tally

# An arbitrary number. Nothing else in the database may use it for an advisory lock.
LOCK = 7_304_218_550_119


async def try_lock(connection: Connection) -> bool:
    """Tries to take the housekeeping lock for this transaction; False if another instance holds it."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK))


async def remove(connection: Connection, chore: Chore, at_most: int) -> int:
    """Removes at most that many due rows and returns how many."""
    keys = [row[0] for row in await connection.fetch(chore.due + chore.lock, chore.days, at_most)]
    if keys:
        for statement in chore.remove:
            await connection.execute(statement, keys)
    return len(keys)


async def correct(connection: Connection, tally: Tally, *, seconds: float) -> int:
    """Corrects the stored count and returns the error. `seconds` limits the counting.

    Changes that commit meanwhile stay counted, because each adds its difference to the stored count.
    """
    off: int = await connection.fetchval(tally.difference, timeout=seconds)
    if off:
        await connection.execute(tally.correct, off)
    return off


async def count_due(database: Queryable, chore: Chore, at_most: int) -> int:
    """Counts due rows, up to that many."""
    number: int = await database.fetchval(f"SELECT count(*) FROM ({chore.due}) AS due", chore.days, at_most)
    return number
