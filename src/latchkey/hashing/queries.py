"""SQL of stored hashes."""

from latchkey.database.pool import Queryable

SAMPLED_PAGES = 500


async def count_rounds(database: Queryable) -> dict[int, int]:
    """Counts live users by bcrypt rounds, in a sample of at most about 500 pages."""
    # REPEATABLE, so that instances that ask at different times get nearly the same answer.
    rows = await database.fetch(
        "SELECT substr(password, 5, 2)::int AS rounds, count(*) AS users FROM users TABLESAMPLE SYSTEM ("
        "   least(100, 100.0 * $1::int * current_setting('block_size')::int / greatest(pg_relation_size('users'), 1))"
        " ) REPEATABLE (0)"
        r" WHERE NOT is_deleted AND password ~ '^\$2[aby]\$(0[4-9]|1[0-6])\$' GROUP BY 1",
        SAMPLED_PAGES,
    )
    return {row["rounds"]: row["users"] for row in rows}
