"""SQL about the server itself, and what instances tell each other: notifications and locks."""

from dataclasses import dataclass

from latchkey.database.pool import Connection, Queryable

CHANGED_CHANNEL = "latchkey_changed"
"""The channel that tells every instance of a change of what it keeps in memory. The payload names what has changed."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """A PostgreSQL server: its major version, and whether it takes writes now. A standby does not."""

    version: int
    takes_writes: bool


async def server_state(database: Queryable) -> ServerState:
    """Returns the server's version and whether it takes writes."""
    row = await database.fetchrow(
        "SELECT current_setting('server_version_num')::int / 10000 AS version,"
        " current_setting('transaction_read_only') = 'off' AS takes_writes"
    )
    assert row is not None, "a SELECT without FROM has one row"
    return ServerState(row["version"], row["takes_writes"])


async def server_time(database: Queryable) -> float:
    """Returns the server's clock, in seconds since the Unix epoch, UTC."""
    seconds: float = await database.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    return seconds


async def lock_by_name(connection: Connection, name: str, *, seconds: float | None = None) -> None:
    """Waits for the lock of that name, at most so many seconds (None: as for every statement), and holds it until the
    transaction ends.

    A name, not a number: two features that each choose a number may choose the same one.
    """
    await connection.fetchval(
        "SELECT pg_advisory_xact_lock(hashtextextended('latchkey ' || $1, 0))", name, timeout=seconds
    )


async def notify_changed(connection: Connection, what: str) -> None:
    """Tells every instance, when the transaction commits, that it must read `what` again."""
    await connection.execute("SELECT pg_notify($1, $2)", CHANGED_CHANNEL, what)


async def plan_each(connection: Connection) -> None:
    """Has PostgreSQL plan each statement of the transaction for its values: common and rare ones need different
    plans."""
    await connection.execute(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
    )


async def prefer_bitmaps(connection: Connection) -> None:
    """Has PostgreSQL find the rows of the transaction's statements in indexes, and sort them then.

    It guesses that a fiftieth of all rows has a word that begins so, and that filters have nothing to do with the order.
    Where that is wrong, it would read a whole table in order.
    """
    await connection.execute(
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)"
    )
