"""Things done at the same moment: real connections in threads that start behind a barrier."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from tests.harness.browser import Browser

T = TypeVar("T")
WAIT_SECONDS = 5.0


def together(calls: list[Callable[[], T]]) -> list[T]:
    """Runs all calls, started together behind a barrier; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(run, call) for call in calls]]


def twins(browser: Browser, count: int, open_browser: Callable[..., Browser]) -> list[Browser]:
    """Browsers with the same cookies and CSRF token as that one, each with a connection and a jar of its own."""
    browser.csrf = browser.csrf or browser.fetch_csrf()
    copies = [open_browser(browser.server) for _ in range(count)]
    for copy in copies:
        copy.cookies = dict(browser.cookies)
        copy.csrf = browser.csrf
        copy.get("/healthz")  # opens the connection, so that the race is not one of handshakes
    return copies


@contextmanager
def row_locked(dsn: str, query: str, *values: Any) -> Iterator[psycopg.Connection[Any]]:
    """Holds the locks that `query` takes, in a transaction of its own that is committed at the end."""
    with psycopg.connect(dsn) as connection:
        connection.execute(query, values)
        yield connection


def wait_for_blocked(sql: psycopg.Connection[Any], count: int) -> None:
    """Waits until so many of the server's statements stand before somebody else's row lock."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        row = sql.execute(
            "SELECT count(*) AS count FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
        if row is not None and row["count"] >= count:
            return
        time.sleep(0.005)
    raise AssertionError(f"no {count} statements wait for a lock after {WAIT_SECONDS} s")
