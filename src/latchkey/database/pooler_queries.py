"""SQL that finds out what is between this process and PostgreSQL."""

from typing import Any

import asyncpg

# asyncpg knows the elements' types, but not these arrays.
_ARRAYS = ("bool", "int2", "int4", "int8", "float8", "text", "varchar", "uuid", "bytea", "timestamptz", "jsonb", "tid")
_USE_ARRAYS = "SELECT " + ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_ARRAYS, 1))


async def is_direct(connection: asyncpg.Connection) -> bool:
    """Tells whether the server process that answers is the one that this connection was opened to.

    Behind a pooler it is not: a pooler hands out numbers of its own.
    """
    # In the simple protocol, which prepares nothing and whose only result is the number of rows.
    status = await connection.execute(f"SELECT WHERE pg_backend_pid() = {connection.get_server_pid():d}")
    return bool(status == "SELECT 1")


async def server_process(connection: asyncpg.Connection) -> int:
    """Returns the number of the server process that answers."""
    number: int = await connection.fetchval("SELECT pg_backend_pid()")
    return number


async def learn_arrays(connection: asyncpg.Connection) -> None:
    """Makes asyncpg look up the array types that statements use.

    This changes a setting of the session, so call it in a transaction that is rolled back.
    """
    await connection.prepare(_USE_ARRAYS)


async def ignored_settings(connection: asyncpg.Connection, wanted: dict[str, Any]) -> list[str]:
    """Returns the settings whose values are not those that the connection asked for.

    Call it in a transaction that is rolled back.
    """
    query = "SELECT current_setting($1, true) IS DISTINCT FROM set_config($1, $2, true)"
    return [name for name, value in wanted.items() if await connection.fetchval(query, name, str(value))]
