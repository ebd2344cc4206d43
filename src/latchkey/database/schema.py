"""Checks that the database has the schema of this version."""

import asyncpg

from latchkey.database.migrate import REQUIRED_REVISION, is_current, schema_revision
from latchkey.database.pool import LOST, REFUSED, DatabaseUnavailable, connect


class SchemaNotCurrent(Exception):
    """The database must be migrated first. The text says so."""


async def require_current_schema(url: str, *, production: bool) -> None:
    """Raises SchemaNotCurrent or DatabaseUnavailable. Only reads."""
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
    """Describes the schema that was found and the one that is needed."""
    found = f"at revision {revision}" if revision else "without Latchkey's schema"
    return f"the database is {found}, this version needs revision {REQUIRED_REVISION}"
