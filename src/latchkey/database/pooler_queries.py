"""SQL that tells what is between this process and PostgreSQL."""

from typing import Any

import asyncpg

# Their elements are known to asyncpg, but not they themselves.
_ARRAYS = ("bool", "int2", "int4", "int8", "float8", "text", "varchar", "uuid", "bytea", "timestamptz", "jsonb", "tid")
_USE_ARRAYS = "SELECT " + ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_ARRAYS, 1))


async def is_direct(connection: asyncpg.Connection) -> bool:
    """Whether the server process that answers is the one that this connection was opened to. It is not behind a
    pooler, which hands out numbers of its own."""
    # In the simple protocol, which prepares nothing and has no result but the number of rows.
    status = await connection.execute(f"SELECT WHERE pg_backend_pid() = {connection.get_server_pid():d}")
    return bool(status == "SELECT 1")


async def server_process(connection: asyncpg.Connection) -> int:
    """The process that answered."""
    number: int = await connection.fetchval("SELECT pg_backend_pid()")
    return number


async def learn_arrays(connection: asyncpg.Connection) -> None:
    """Has asyncpg look up the array types that statements use. It changes a setting of the session meanwhile: call this
    in a transaction that is rolled back."""
    await connection.prepare(_USE_ARRAYS)


async def ignored_settings(connection: asyncpg.Connection, wanted: dict[str, Any]) -> list[str]:
    """Those of the settings that are not as they were wanted when the connection was opened. Call this in a transaction
    that is rolled back."""
    query = "SELECT current_setting($1, true) IS DISTINCT FROM set_config($1, $2, true)"
    return [name for name, value in wanted.items() if await connection.fetchval(query, name, str(value))]
