"""Makes PostgreSQL report errors for chosen rows only, while the rest of the server works."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from psycopg import sql

from tests.kit.stored import Sql


@contextmanager
def refusing(connection: Sql, statement: str, table: str, when: str, state: str) -> Iterator[None]:
    """Makes every such statement (INSERT, UPDATE) on rows that match `when` (of NEW) fail with that SQLSTATE."""
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
