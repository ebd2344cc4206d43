"""Errors that PostgreSQL itself reports, for chosen rows only, so that the rest of the server goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from psycopg import sql

from tests.kit.stored import Sql


@contextmanager
def refusing(connection: Sql, statement: str, table: str, when: str, state: str) -> Iterator[None]:
    """Has every such statement (INSERT, UPDATE) on rows of the table that match `when` (of NEW) fail with that SQLSTATE."""
    name = sql.Identifier(f"refusing_{uuid4().hex}")
    on = sql.Identifier(table)
    connection.execute(
        sql.SQL(
            "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = {}; END $$"
        ).format(name, sql.Literal(state))
    )
    connection.execute(
        sql.SQL("CREATE TRIGGER {} BEFORE {} ON {} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION {}()").format(
            name, sql.SQL(statement), on, sql.SQL(when), name
        )
    )
    try:
        yield
    finally:
        connection.execute(sql.SQL("DROP TRIGGER {} ON {}").format(name, on))
        connection.execute(sql.SQL("DROP FUNCTION {}").format(name))
