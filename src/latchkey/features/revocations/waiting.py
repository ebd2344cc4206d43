"""Lets requests wait for ended sessions, without a connection to the database."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from latchkey.features.revocations.passes import Cursor, Page

OF_ONE_KEY, IN_ALL = 2, 200
LOOK_EVERY_SECONDS = 1.0
"""How often a request looks by itself while the feed is cut."""
APART_SECONDS = 0.2


class Feed(Protocol):
    """The feed of ended sessions."""

    @property
    def is_healthy(self) -> bool: ...

    def next_ending(self) -> asyncio.Event: ...


class Waiting:
    """The requests that wait: at most 200, of which 2 of one API key. Others are answered at once."""

    def __init__(self, feed: Feed, stopwatch: Callable[[], float]) -> None:
        self._feed = feed
        self._stopwatch = stopwatch
        self._of_keys: Counter[str] = Counter()

    async def read(
        self, look: Callable[[Cursor], Awaitable[Page | None]], cursor: Cursor, *, seconds: float, key_id: str
    ) -> Page:
        """Returns what `look` finds after a cursor, at the latest after so many seconds. Then the page is empty.

        Looks once, and again when the feed hears of an ending, or each second while the feed is cut; at least 0.2 s
        apart.
        """
        until = self._stopwatch() + seconds
        with self._place(key_id) as may_wait:
            while True:
                # Taken before the look: an ending in between is not missed.
                ending, looked_at = self._feed.next_ending(), self._stopwatch()
                page = await look(cursor)
                if page is not None:
                    return page
                if not may_wait or self._stopwatch() >= until:
                    return Page([], cursor)
                await self._until_worth_looking(ending, until)
                await asyncio.sleep(max(0.0, looked_at + APART_SECONDS - self._stopwatch()))

    async def _until_worth_looking(self, ending: asyncio.Event, until: float) -> None:
        while not ending.is_set() and (left := until - self._stopwatch()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK_EVERY_SECONDS, left)):
                    await ending.wait()
            if not self._feed.is_healthy:
                return

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
