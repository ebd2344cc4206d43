"""Lets requests wait for ended sessions, without a connection to the database."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from latchkey.features.revocations.passes import Cursor, Page

OF_ONE_KEY, IN_ALL = 2, 200
LOOK_EVERY_SECONDS = 1.0
"""How often a request looks by itself while the feed is cut."""
APART_SECONDS = 0.2

Look = Callable[[Cursor], Awaitable[Page | None]]


class Feed(Protocol):
    """The feed of ended sessions."""

    @property
    def is_healthy(self) -> bool: ...

    def next_ending(self) -> asyncio.Event: ...


class Waiting:
    """The requests that wait: at most 200, of which 2 of one API key. Others are answered at once, and all of them when
    the process is `stopping`."""

    def __init__(self, feed: Feed, stopping: asyncio.Event, stopwatch: Callable[[], float]) -> None:
        self._feed = feed
        self._stopping = stopping
        self._stopwatch = stopwatch
        self._of_keys: Counter[str] = Counter()

    async def read(
        self,
        look: Look,
        cursor: Cursor,
        *,
        seconds: float,
        key_id: str,
        client_left: Callable[[], Coroutine[Any, Any, None]],
    ) -> Page:
        """Returns what `look` finds after a cursor, or an empty page after so many seconds.

        Looks once, and again when the feed hears of an ending, or each second while the feed is cut; at least 0.2 s
        apart. Stops when the client has left.
        """
        # Taken before the look: an ending in between is not missed.
        ending, looked_at = self._feed.next_ending(), self._stopwatch()
        page = await look(cursor)
        with self._place(key_id) as has_place:
            if page is None and seconds and has_place:
                over = asyncio.create_task(self._over(client_left, seconds))
                try:
                    page = await self._wait(look, cursor, ending, looked_at, over)
                finally:
                    over.cancel()
                    await asyncio.wait([over])
        return page or Page([], cursor)

    async def _wait(
        self, look: Look, cursor: Cursor, ending: asyncio.Event, looked_at: float, over: asyncio.Task[None]
    ) -> Page | None:
        while True:
            await self._until_worth_looking(ending, over)
            if over.done():
                return None
            await asyncio.sleep(max(0.0, looked_at + APART_SECONDS - self._stopwatch()))
            ending, looked_at = self._feed.next_ending(), self._stopwatch()
            if (page := await look(cursor)) is not None:
                return page

    async def _until_worth_looking(self, ending: asyncio.Event, over: asyncio.Task[None]) -> None:
        heard = asyncio.create_task(ending.wait())
        try:
            while not heard.done() and not over.done():
                await asyncio.wait({heard, over}, timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not self._feed.is_healthy:
                    return
        finally:
            heard.cancel()

    async def _over(self, client_left: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> None:
        """Returns when nobody waits for the answer any more: late enough, the client has left, or the process stops."""
        reasons = {asyncio.create_task(client_left()), asyncio.create_task(self._stopping.wait())}
        try:
            await asyncio.wait(reasons, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for reason in reasons:
                reason.cancel()

    @contextmanager
    def _place(self, key_id: str) -> Iterator[bool]:
        if self._of_keys[key_id] >= OF_ONE_KEY or self._of_keys.total() >= IN_ALL:
            yield False
            return
        self._of_keys[key_id] += 1
        try:
            yield True
        finally:
            self._of_keys[key_id] -= 1
            if not self._of_keys[key_id]:
                del self._of_keys[key_id]
