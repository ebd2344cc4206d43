"""How many functions an operation calls: what does not depend on the clock, so that a layer more does not slip in.

A slow loop that calls nothing, or a slow statement, is not seen here; `make bench` shows those.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType
from typing import Any

import pytest
import uvloop

from bench.data import Secrets, load_users, sign_in
from latchkey.app import Settings
from latchkey.clock import system_clock
from latchkey.database.pool import connect, open_database
from latchkey.http.edge.edge import Edge
from latchkey.process import build_service
from latchkey.settings import load_settings

USERS = 50
REQUESTS = 200
# What Python 3.11 counts and a twentieth more, for other versions. Who makes one of them larger says in the commit what for.
AT_MOST = {"csrf-token": 163, "user by id": 332, "ended session": 117, "page of users": 330, "refresh": 784}


class Client:
    """Sends requests to the edge, without a server between, and keeps `cookies`; `calls` counts what they called."""

    def __init__(self, edge: Edge, access: str, refresh: str) -> None:
        self._edge = edge
        self.cookies = {"accessToken": access, "refreshToken": refresh}
        self._csrf_token = ""
        self.calls = 0

    async def ask(self, method: str, path: str) -> int:
        """Sends a request and takes the cookies of its answer; returns the status."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"host": "localhost:3000", "cookie": cookies, "x-csrf-token": self._csrf_token}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 5555),
        }
        answer: list[Any] = []

        async def receive() -> dict[str, Any]:
            raise AssertionError("none of them has a body")

        async def send(message: Any) -> None:
            answer.append(message)

        sys.setprofile(self._count)
        try:
            await self._edge(scope, receive, send)
        finally:
            sys.setprofile(None)
        start, body = answer
        for name, value in start["headers"]:
            if name == b"set-cookie":
                cookie, _, content = value.decode().partition(";")[0].partition("=")
                self.cookies[cookie] = content
        if path == "/auth/csrf-token":
            self._csrf_token = body["body"].decode().split('"')[3]
        return int(start["status"])

    def _count(self, _: FrameType, event: str, __: object) -> None:
        self.calls += event in {"call", "c_call"}


@asynccontextmanager
async def signed_in(database: str) -> AsyncIterator[Client]:
    """A client of a service whose revocation feed is healthy."""
    signing = Secrets.new()
    load_users(database, USERS)
    (session,) = sign_in(database, signing, [7])
    settings = load_settings(
        Settings,
        environment="production",
        jwt_access_secret=signing.access,
        jwt_refresh_secret=signing.refresh,
        rate_limit="1000000/15 minutes",
        request_log=False,
    )
    pool = await open_database(database, production=True)
    service = build_service(settings, pool, partial(connect, database, production=True), system_clock)
    feed = asyncio.create_task(service.feed.run())
    async with asyncio.timeout(10):
        while not service.feed.is_healthy:  # noqa: ASYNC110 it has nothing else to wait for
            await asyncio.sleep(0.01)
    yield Client(service.edge, session.access, session.refresh)
    feed.cancel()
    service.hasher.close()
    await pool.close()


@pytest.mark.parametrize(
    ("operation", "method", "path", "status"),
    [
        ("csrf-token", "GET", "/auth/csrf-token", 200),
        ("user by id", "GET", "/users/9", 200),
        ("page of users", "GET", "/users", 200),
        ("refresh", "POST", "/auth/refresh-token", 200),
        ("ended session", "GET", "/auth/me", 401),
    ],
)
def test_each_operation(database: str, operation: str, method: str, path: str, status: int) -> None:
    """Protects speed: an operation does not call more than it did."""

    async def calls() -> float:
        async with signed_in(database) as client:
            assert await client.ask("GET", "/auth/csrf-token") == 200
            if operation == "ended session":
                kept = client.cookies.copy()
                assert await client.ask("POST", "/auth/logout") == 200
                client.cookies = kept
            # Connections, caches and compiled expressions come with the first.
            assert await client.ask(method, path) == status
            client.calls = 0
            for _ in range(REQUESTS):
                assert await client.ask(method, path) == status
            return client.calls / REQUESTS

    # The loop that serves in production; what it does itself is not counted.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        made = runner.run(calls())
    assert made <= AT_MOST[operation], f"{operation} makes more calls than AT_MOST says: is it worth that?"
