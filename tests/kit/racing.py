"""Runs real connections at the same moment, in threads that start behind a barrier."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, LiteralString, TypeVar

import httpx
import psycopg

from tests.kit import plain_http
from tests.kit.browser import Browser
from tests.kit.waiting import SECONDS

T = TypeVar("T")


def together(calls: list[Callable[[], T]]) -> list[T]:
    """Runs all calls at once, started by a barrier, and returns their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(run, call) for call in calls]]


def crowd(browser: Browser, path: str, bodies: list[Any]) -> list[httpx.Response]:
    """POSTs all bodies (None: no body) at once, with that browser's cookies and CSRF token, each over a new connection.

    The browser's jar stays unchanged.
    """
    browser.csrf = browser.csrf or browser.fetch_csrf()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"X-CSRF-Token": browser.csrf, "Cookie": cookies}

    async def post_all() -> list[httpx.Response]:
        url = browser.server.url
        async with plain_http.async_client(base_url=url, headers=headers, timeout=30) as client:
            await asyncio.gather(*(client.get("/healthz") for _ in bodies))  # the race is not one of handshakes
            return await asyncio.gather(*(client.post(path, json=body) for body in bodies))

    answers = asyncio.run(post_all())
    for answer in answers:
        browser.wire.check("POST", path, answer)
    return answers


def twins(browser: Browser, count: int, open_browser: Callable[..., Browser]) -> list[Browser]:
    """Returns browsers with the same cookies and CSRF token, each with its own connection and jar."""
    browser.csrf = browser.csrf or browser.fetch_csrf()
    copies = [open_browser(browser.server) for _ in range(count)]
    for copy in copies:
        copy.cookies = dict(browser.cookies)
        copy.csrf = browser.csrf
        copy.get("/healthz")  # opens the connection, so that the race is not one of handshakes
    return copies


@contextmanager
def held_until_blocked(
    dsn: str, count: int, query: LiteralString, *values: Any, then: LiteralString = "SELECT %s"
) -> Iterator[None]:
    """Holds the locks that `query` takes until `count` statements wait for them. Then runs `then` and commits."""

    def release() -> None:
        try:
            wait_for_blocked(dsn, count)
        finally:
            holder.execute(then, values)
            holder.commit()

    with psycopg.connect(dsn) as holder, ThreadPoolExecutor(1) as thread:
        holder.execute(query, values)
        released = thread.submit(release)
        yield
        released.result()


def wait_for_blocked(dsn: str, count: int) -> None:
    """Waits until `count` statements wait for a row lock."""
    deadline = time.monotonic() + SECONDS
    with psycopg.connect(dsn, autocommit=True) as watcher:
        while time.monotonic() < deadline:
            row = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            if row is not None and row[0] >= count:
                return
            time.sleep(0.005)
    raise AssertionError(f"no {count} statements wait for a lock after {SECONDS} s")
