"""SQL of stored hashes."""

from latchkey.database.pool import Queryable

CHANGED_HASHES = "password_hashes"
"""The payload that notifies instances of many new hashes."""
SAMPLED_PAGES = 500
SAMPLED_ROWS = 10_000


async def sample_hashes(database: Queryable) -> list[str]:
    """Returns the hashes of at most 10 000 live users, from a sample of about 500 pages."""
    # REPEATABLE and in the order of a hash, so that instances that ask at different times get nearly the same answer.
    rows = await database.fetch(
        "SELECT password FROM users TABLESAMPLE SYSTEM ("
        "   least(100, 100.0 * $1::int * current_setting('block_size')::int / greatest(pg_relation_size('users'), 1))"
        " ) REPEATABLE (0)"
        " WHERE NOT is_deleted ORDER BY hashint4(id) LIMIT $2",
        SAMPLED_PAGES,
        SAMPLED_ROWS,
    )
    return [row["password"] for row in rows]
