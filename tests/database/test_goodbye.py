"""A pooled connection on which PostgreSQL has said goodbye, but which it has not hung up yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from latchkey.database.pool import Connection, Database, DatabaseUnavailable, open_database

FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
GOODBYE = b"E" + (4 + len(FIELDS)).to_bytes(4) + FIELDS
"""An ErrorResponse that nobody asked for, as pg_terminate_backend and a shutdown send it."""


class Between:
    """Stands between a pool and PostgreSQL, and passes on what each says."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._clients: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """How many the pool has opened so far."""
        return len(self._clients)

    async def say_goodbye(self) -> None:
        """Says it on the newest connection, and lets the pool's side read it: it is the same event loop."""
        self._clients[-1].write(GOODBYE)
        for _ in range(10):
            await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._clients.append(writer)
        their_reader, their_writer = await asyncio.open_unix_connection(self._socket)
        self._tasks += [
            asyncio.create_task(_pass_on(reader, their_writer)),
            asyncio.create_task(_pass_on(their_reader, writer)),
        ]

    async def close(self) -> None:
        """Waits until all that was said has been passed on."""
        await asyncio.gather(*self._tasks)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()


@asynccontextmanager
async def pool_behind(dsn: str) -> AsyncIterator[tuple[Database, Between]]:
    """A pool of one connection with somebody between it and the database."""
    parts = urlsplit(dsn)
    parameters = parse_qs(parts.query)
    between = Between(f"{parameters['host'][0]}/.s.PGSQL.{parameters['port'][0]}")
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable"
    database = await open_database(url, production=False, pool_max=1)
    try:
        assert await database.fetchval("SELECT 1") == 1
        yield database, between
    finally:
        await database.close()
        server.close()
        await between.close()


async def test_read_goes_to_a_new_connection(database: str) -> None:
    """asyncpg calls it an internal error of its own; a user must not see it as one of ours (it was a 500)."""
    async with pool_behind(database) as (pool, between):
        await between.say_goodbye()
        assert await pool.fetchval("SELECT 2") == 2
        assert between.connections == 2


async def test_transaction_begins_on_a_new_connection(database: str) -> None:
    """BEGIN finds it out, when nothing has happened yet."""
    async with pool_behind(database) as (pool, between):
        await between.say_goodbye()
        assert await pool.transact(lambda connection: connection.fetchval("SELECT 3")) == 3
        assert between.connections == 2


async def test_connection_lost_inside_a_transaction_is_not_tried_again(database: str) -> None:
    """Here something may have happened: the caller is told, and the next one gets a connection that works."""
    async with pool_behind(database) as (pool, between):

        async def interrupted(connection: Connection) -> None:
            await between.say_goodbye()
            await connection.fetchval("SELECT 4")

        with pytest.raises(DatabaseUnavailable):
            await pool.transact(interrupted)
        assert between.connections == 1
        assert await pool.fetchval("SELECT 5") == 5


async def test_lone_write_is_not_tried_again(database: str) -> None:
    """Nobody can say whether it happened; the next one works."""
    async with pool_behind(database) as (pool, between):
        await between.say_goodbye()
        with pytest.raises(DatabaseUnavailable):
            await pool.write("SELECT 6")
        assert await pool.write("SELECT 7") == 7
