"""A database that takes no writes, as a standby does."""

from typing import Any

import psycopg
from psycopg import sql


def make_read_only(connection: "psycopg.Connection[Any]", *, read_only: bool = True) -> None:
    """Makes the database of this connection (in autocommit) read-only, or writable again, for new connections.

    Ends the existing ones.
    """
    database = sql.Identifier(connection.info.dbname)
    setting = sql.Literal("on" if read_only else "off")
    connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(database, setting))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
