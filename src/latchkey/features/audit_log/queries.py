"""SQL of the audit log for its readers."""

from typing import Any

from latchkey.audit.queries import COLUMNS, AuditRow, audit_row
from latchkey.database.pool import Connection, Queryable
from latchkey.features.audit_log.search import AuditSearch

LOOKED_AT = 30_000
"""How many of the newest rows are looked at, whether they match or not: it takes some 20 ms."""


async def find_page(connection: Connection, search: AuditSearch, *, limit: int, below: int | None) -> list[AuditRow]:
    """Returns at most `limit` rows of a search, newest id first, with ids below `below` (None: all)."""
    conditions, arguments = _conditions(search, below)
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM audit_logs WHERE {conditions} ORDER BY id DESC LIMIT {limit}",  # noqa: S608 constants and a number
        *arguments,
    )
    return [audit_row(row) for row in rows]


async def find_among_newest(
    connection: Connection, search: AuditSearch, *, limit: int, below: int | None
) -> list[AuditRow]:
    """Does as `find_page`, but looks only at the newest rows below that id, whether they match or not."""
    start = "true" if below is None else "id < $1"
    conditions, arguments = _conditions(search, below)
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM"  # noqa: S608 constants and numbers
        f" (SELECT * FROM audit_logs WHERE {start} ORDER BY id DESC LIMIT {LOOKED_AT}) AS audit_logs"
        f" WHERE {conditions} ORDER BY id DESC LIMIT {limit}",
        *arguments,
    )
    return [audit_row(row) for row in rows]


async def find_newer(database: Queryable, search: AuditSearch, *, above: int, known: list[int]) -> list[AuditRow]:
    """Returns the rows of a search with ids above `above` that are not among `known`, oldest first."""
    conditions, arguments = _all_of(search, ["id > $1", "id <> ALL($2::bigint[])"], [above, known])
    rows = await database.fetch(
        f"SELECT {COLUMNS} FROM audit_logs WHERE {conditions} ORDER BY id",  # noqa: S608 constants
        *arguments,
    )
    return [audit_row(row) for row in rows]


async def ids_of_last(database: Queryable, seconds: float) -> tuple[int, list[int]]:
    """Returns the newest id that is older than so many seconds (0 without any), and all ids above it."""
    rows = await database.fetch(
        "WITH old AS (SELECT coalesce(max(id), 0) AS id FROM (SELECT id FROM audit_logs"
        " WHERE created_at < now() - make_interval(secs => $1) ORDER BY id DESC LIMIT 1) AS newest)"
        " SELECT old.id AS above, audit_logs.id FROM old LEFT JOIN audit_logs ON audit_logs.id > old.id",
        seconds,
    )
    return rows[0]["above"], [row["id"] for row in rows if row["id"] is not None]


async def newest_id(database: Queryable) -> int:
    """Returns the largest id of all rows; 0 without any."""
    newest: int = await database.fetchval("SELECT coalesce(max(id), 0)::bigint FROM audit_logs")
    return newest


def _conditions(search: AuditSearch, below: int | None) -> tuple[str, list[Any]]:
    return _all_of(search, [], []) if below is None else _all_of(search, ["id < $1"], [below])


def _all_of(search: AuditSearch, first: list[str], arguments: list[Any]) -> tuple[str, list[Any]]:
    """Returns the SQL of conditions, whose arguments are given, and of a search; and the arguments of both."""

    def argument(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    return " AND ".join([*first, *search.conditions(argument)]) or "true", arguments
