"""SQL of stored hashes."""

from latchkey.database.pool import Queryable

SAMPLED_PAGES = 500


async def count_rounds(database: Queryable) -> dict[int, int]:
    """How many live users of a sample have a bcrypt hash of so many rounds: all users of a small table, those on some
    hundred pages of a large one.

    REPEATABLE, so that instances which ask at different times get nearly the same answer.
    """
    rows = await database.fetch(
        "SELECT substr(password, 5, 2)::int AS rounds, count(*) AS users FROM users TABLESAMPLE SYSTEM ("
        "   least(100, 100.0 * $1::int * current_setting('block_size')::int / greatest(pg_relation_size('users'), 1))"
        " ) REPEATABLE (0)"
        r" WHERE NOT is_deleted AND password ~ '^\$2[aby]\$(0[4-9]|1[0-6])\$' GROUP BY 1",
        SAMPLED_PAGES,
    )
    return {row["rounds"]: row["users"] for row in rows}
