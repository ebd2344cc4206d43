"""The floor: a bare Granian program with the same statements and nothing else.

Same server, same settings, same pool, and reads by id share statements in the same way; no tokens are read or made,
nothing is checked or logged, answers are bytes without headers of ours. What ours costs above it is the service itself.
"""

import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import bcrypt
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.responses import JSONResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from bench import statements as sql
from bench.data import FLOOR_SESSIONS, ROUNDS, floor_hash
from latchkey.cli.connections import KEEP_ALIVE_SECONDS
from latchkey.cli.server import HEADERS_MAX_BYTES
from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import POOL_MAX

METADATA = json.dumps({"ip": "127.0.0.1", "user_agent": "bench", "request_id": "0" * 32, "session_id": str(uuid4())})
TOKEN = b"t" * 330
HASH = b"h" * 32
Reply = tuple[int, bytes, list[tuple[bytes, bytes]]]


class Floor:
    """The operations."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sessions = [(number, 0) for number in range(1, FLOOR_SESSIONS + 1)]
        self._threads = ThreadPoolExecutor(2)
        self._by_id = BatchedReads(self._read_many)

    async def get(self, user_id: int) -> Reply:
        """GET /users/:id."""
        row = await self._by_id.read(user_id)
        assert row is not None
        return 200, json.dumps({"id": row["id"], "name": row["name"], "email": row["email"]}).encode(), []

    async def _read_many(self, user_ids: list[int]) -> dict[int, asyncpg.Record]:
        return {row["id"]: row for row in await self._pool.fetch(sql.FIND, user_ids)}

    async def page(self, number: int) -> Reply:
        """GET /users."""
        rows = await self._pool.fetch(sql.PAGE, 10, (number - 1) * 10)
        users = [{"id": row["id"], "name": row["name"], "email": row["email"]} for row in rows]
        return 200, json.dumps({"data": users, "total": rows[0]["total"]}).encode(), []

    async def refresh(self) -> Reply:
        """POST /auth/refresh-token."""
        number, generation = self._sessions.pop()
        now = int(time.time())
        await self._pool.fetchrow(
            sql.ROTATE,
            UUID(int=number),
            1,
            floor_hash(number, generation),
            floor_hash(number, generation + 1),
            now,
            now + 86_400,
        )
        self._sessions.append((number, generation + 1))
        return 200, b"{}", [(b"set-cookie", b"accessToken=" + TOKEN), (b"set-cookie", b"refreshToken=" + TOKEN)]

    async def login(self, body: bytes) -> Reply:
        """POST /auth/login."""
        sent = json.loads(body)
        row = await self._pool.fetchrow(sql.CREDENTIALS, sent["email"])
        await self._hash(bcrypt.checkpw, sent["password"].encode(), row["password"].encode())
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.fetchrow(sql.LOCK_WITH_PASSWORD, row["id"], row["password"])
            await connection.fetch(sql.END_OLDEST, "limit", row["id"], 99)
            now = int(time.time())
            cap = datetime.now(UTC) + timedelta(days=30)
            opened = (uuid4(), row["id"], HASH, now, now + 86_400, "cookie", ["pwd"], cap, "127.0.0.1", "bench", "")
            await connection.fetchval(sql.OPEN, *opened)
            await connection.execute(sql.AUDIT, row["id"], "LOGIN", "users", row["id"], METADATA)
        return 200, b"{}", [(b"set-cookie", b"accessToken=" + TOKEN), (b"set-cookie", b"refreshToken=" + TOKEN)]

    async def register(self, body: bytes) -> Reply:
        """POST /auth/register."""
        sent = json.loads(body)
        hashed = await self._hash(bcrypt.hashpw, sent["password"].encode(), bcrypt.gensalt(ROUNDS))
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(sql.INSERT, sent["name"], sent["email"], hashed.decode())
            await connection.execute(sql.AUDIT, row["id"], "CREATE_USER", "users", row["id"], METADATA)
        return 201, b"{}", []

    async def patch(self, user_id: int, body: bytes) -> Reply:
        """PATCH /users/:id with a name."""
        sent = json.loads(body)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(sql.LOCK, user_id)
            await connection.fetchrow(sql.UPDATE, user_id, sent["name"], row["email"], False)
            await connection.execute(sql.AUDIT, user_id, "UPDATE_USER", "users", user_id, METADATA)
        return 200, b"{}", []

    async def _hash(self, work: Callable[[bytes, bytes], bytes | bool], password: bytes, other: bytes) -> bytes:
        made = await asyncio.get_running_loop().run_in_executor(self._threads, work, password, other)
        return made if isinstance(made, bytes) else b""


class Program:
    """The ASGI application."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._floor: Floor | None = None
        self._lifespan_protocol = Router(lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan_protocol.lifespan(scope, receive, send)
            return
        path: str = scope["path"]
        if path == "/auth/csrf-token":
            await JSONResponse({"csrfToken": "t" * 66}, headers={"set-cookie": "_csrf=floor"})(scope, receive, send)
            return
        status, body, headers = await self._routed(scope, path, receive)
        start = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [(b"content-length", b"%d" % len(body)), *headers]})
        await send({"type": "http.response.body", "body": body})

    def _routed(self, scope: Scope, path: str, receive: Receive) -> Awaitable[Reply]:
        assert self._floor is not None
        if path == "/auth/refresh-token":
            return self._floor.refresh()
        if path in {"/auth/me", "/auth/logout"}:
            return _empty(401 if path == "/auth/me" else 200)
        if path.startswith("/auth/"):
            work = self._floor.login if path == "/auth/login" else self._floor.register
            return _with_body(work, receive)
        if path == "/users":
            found = re.search(rb"page=(\d+)", scope["query_string"])
            return self._floor.page(int(found[1]) if found else 1)
        user_id = int(path[7:])
        if scope["method"] == "PATCH":
            return _with_body(partial(self._floor.patch, user_id), receive)
        return self._floor.get(user_id)

    @asynccontextmanager
    async def _lifespan(self, _: ASGIApp) -> AsyncIterator[None]:
        # As ours has it: nothing is reset between two uses of a connection.
        pool = await asyncpg.create_pool(self._dsn, min_size=0, max_size=POOL_MAX, reset=_keep_as_is)
        self._floor = Floor(pool)
        gc.collect()
        gc.freeze()
        yield
        await pool.close()


async def _with_body(work: Callable[[bytes], Awaitable[Reply]], receive: Receive) -> Reply:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return await work(body)


async def _empty(status: int) -> Reply:
    return status, b"{}", []


async def _keep_as_is(_: asyncpg.Connection) -> None:
    """Replaces asyncpg's reset."""


def load(dsn: str) -> ASGIApp:
    """The application, called in the worker."""
    return Program(dsn)


def main() -> None:
    """Serves on 127.0.0.1: arguments are the DSN and the port."""
    dsn, port = sys.argv[1:]
    server = Granian(
        "bench.floor:load",
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces.ASGI,
        workers=1,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE_SECONDS * 1000, max_buffer_size=HEADERS_MAX_BYTES),
        websockets=False,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(load, dsn), wrap_loader=False)


if __name__ == "__main__":
    main()
