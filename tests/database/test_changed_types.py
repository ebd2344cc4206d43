"""A column's type changes while statements that read it are prepared: nobody who asks meanwhile sees an error."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import psycopg
import pytest

from latchkey.database.pool import Connection, Database, DatabaseUnavailable, open_database
from tests.kit.browser import PASSWORD, Browser
from tests.kit.server import Server
from tests.kit.stored import Sql

READ = "SELECT name FROM things WHERE id = 1"
WRITE = "UPDATE things SET id = id WHERE id = 1 RETURNING name"
ALL = "UPDATE things SET size = size + 1 RETURNING *"
WIDER, NARROWER = "varchar(20)", "varchar(10)"


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Database]:
    """A pool of one connection on a database with one more table."""
    with psycopg.connect(database) as sql:
        sql.execute(f"CREATE TABLE things (id integer, name {NARROWER}, size integer)")
        sql.execute("INSERT INTO things VALUES (1, 'a', 0)")
    opened = await open_database(database, production=False, pool_max=1)
    yield opened
    await opened.close()


def change(dsn: str, statement: str) -> None:
    """Changes the table, on a connection of its own."""
    with psycopg.connect(dsn) as sql:
        sql.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE things ALTER name TYPE text",
        "ALTER TABLE things ALTER size TYPE bigint",
        "ALTER TABLE things ADD new text DEFAULT 'new'",
        "ALTER TABLE things DROP name; ALTER TABLE things ADD name text DEFAULT 'a'",
    ],
)
async def test_each_way_of_asking(pool: Database, database: str, statement: str) -> None:
    """The driver knows how to go on after a read or a lone write; in a transaction all has to be done again."""

    async def work(connection: Connection) -> tuple[object, ...]:
        nonlocal runs
        runs += 1
        await connection.execute("UPDATE things SET size = size + 10")
        read, written = await connection.fetchval(READ), await connection.fetchval(WRITE)
        (row,) = await connection.fetch(ALL)
        return read, written, row["size"]

    for query in (READ, WRITE, ALL):
        await pool.fetch(query)
    runs = 0
    assert await pool.transact(work) == ("a", "a", 12)
    change(database, statement)
    runs = 0
    assert await pool.transact(work) == ("a", "a", 23)
    assert runs == 2
    change(database, "ALTER TABLE things ALTER name TYPE varchar(50), ALTER size TYPE numeric")
    assert await pool.fetchval(READ) == "a"
    assert await pool.write(WRITE) == "a"
    assert (await pool.fetch(ALL))[0]["size"] == 24


async def test_a_row_read_as_a_value(pool: Database, database: str) -> None:
    """What is read has the old columns in mind: read again. A lone write has happened, and is not repeated."""
    whole, written = "SELECT things FROM things", "UPDATE things SET size = size + 1 RETURNING things"

    def again(new: str) -> None:
        change(database, f"ALTER TABLE things ADD {new} integer")

    await pool.fetchval(whole)
    again("a")
    assert len(await pool.fetchval(whole)) == 4
    again("b")
    assert len(await pool.transact(lambda connection: connection.fetchval(written))) == 5
    again("c")
    with pytest.raises(DatabaseUnavailable):
        await pool.write(written)
    assert await pool.fetchval("SELECT size FROM things") == 2


async def test_changes_that_go_on(pool: Database, database: str) -> None:
    """Even a change under each attempt but the last is survived, and then the work has happened once."""

    async def work(connection: Connection) -> object:
        nonlocal runs
        runs += 1
        await connection.execute("UPDATE things SET size = size + 1")
        return await connection.fetchval(READ)

    await pool.transact(work_that_reads := lambda connection: connection.fetchval(READ))
    runs = 0
    for kind in (WIDER, NARROWER):
        change(database, f"ALTER TABLE things ALTER name TYPE {kind}")
        assert await pool.transact(work) == "a"
    assert await pool.transact(work_that_reads) == "a"
    assert await pool.fetchval("SELECT size FROM things") == 2
    assert runs == 4


COLUMNS = {
    "users.email": ("varchar(200)", "varchar(150)"),
    "users.name": ("text", "varchar(100)"),
    "sessions.user_agent": ("varchar(2000)", "text"),
}
OTHER_PASSWORD = "Changed456!"


def change_password_twice(browser: Browser, _: Any) -> httpx.Response:
    """Changes the password of the browser's account, and changes it back."""
    there = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
    assert browser.post("/auth/change-password", there).status_code == 200
    return browser.post("/auth/change-password", {"currentPassword": OTHER_PASSWORD, "newPassword": PASSWORD})


OPERATIONS: tuple[Callable[[Browser, Any], httpx.Response], ...] = (
    lambda browser, user: browser.patch(f"/users/{user['id']}", {"name": "Renamed"}),
    change_password_twice,
    lambda browser, user: browser.get("/auth/me"),
    lambda browser, user: browser.get(f"/users/{user['id']}"),
    lambda browser, user: browser.get("/users"),
    lambda browser, user: browser.get("/auth/sessions"),
    lambda browser, user: browser.post("/auth/refresh-token"),
    lambda browser, user: browser.post("/auth/forgot-password", {"email": user["email"]}),
    lambda browser, user: browser.login(user["email"]),
)


def test_requests_while_columns_change(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """Each operation, before and after the change of each column: often enough that its statements are prepared on
    each connection that the server has."""
    server = start()
    browser = open_browser(server)
    user = browser.sign_up()
    for column, kinds in COLUMNS.items():
        table, _, name = column.partition(".")
        for operation in OPERATIONS:
            for change_to in (*kinds, None):
                answers = [operation(browser, user) for _ in range(3)]
                assert [answer.status_code for answer in answers] == [200] * 3, (column, answers[-1].text)
                if change_to:
                    own_sql.execute(f"ALTER TABLE {table} ALTER {name} TYPE {change_to}")
