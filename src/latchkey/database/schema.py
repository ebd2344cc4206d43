"""Whether the database is at the schema that this version works with."""

import asyncpg

from latchkey.database.migrate import REQUIRED_REVISION, is_current, schema_revision
from latchkey.database.pool import LOST, REFUSED, DatabaseUnavailable, connect


class SchemaNotCurrent(Exception):
    """The database is to be migrated first; the text says so."""


async def require_current_schema(url: str, *, production: bool) -> None:
    """Raises SchemaNotCurrent, or DatabaseUnavailable. Reads only."""
    connection = await connect(url, production=production)
    try:
        revision = await schema_revision(connection)
        await connection.close()
    except (*LOST, *REFUSED, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error
    finally:
        connection.terminate()
    if not is_current(revision):
        raise SchemaNotCurrent(f"{schema_difference(revision)}: run latchkey migrate")


def schema_difference(revision: str | None) -> str:
    """What is found and what is needed, in words."""
    found = f"at revision {revision}" if revision else "without our schema"
    return f"the database is {found}, this version needs revision {REQUIRED_REVISION}"
