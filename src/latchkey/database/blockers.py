"""Lists the connections that lock our tables, for an operator whose migration is blocked."""

from collections.abc import Awaitable, Callable

import asyncpg

HOLDERS = """
SELECT DISTINCT a.pid, coalesce(nullif(a.application_name, ''), '-') AS application, coalesce(a.state, '?') AS state,
       a.xact_start::timestamptz(0)::text AS since
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.granted AND a.pid <> pg_backend_pid()
  AND l.relation IN (to_regclass('users'), to_regclass('audit_logs'), to_regclass('sessions'))
ORDER BY a.pid
"""


async def describe_blockers(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> str:
    """Returns one line for each connection that locks our tables now, without its query, which may hold private
    data."""
    connection = await connect()
    try:
        rows = await connection.fetch(HOLDERS)
    finally:
        await connection.close()
    lines = [
        f"  pid {row['pid']}, application {row['application']}, {row['state']}, in a transaction since {row['since']}"
        for row in rows
    ]
    return "\n".join(["In use by:", *lines]) if lines else "No connection holds the table now."
