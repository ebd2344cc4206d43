"""When a waiting request looks, and when it stops waiting. The feed is the test's own; nothing here asks a database."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from latchkey.clock import stopwatch
from latchkey.features.revocations.passes import Cursor, Page
from latchkey.features.revocations.queries import Tally
from latchkey.features.revocations.waiting import APART_SECONDS, IN_ALL, LOOK_EVERY_SECONDS, OF_ONE_KEY, Waiting
from latchkey.sessions.feed import EndedSessions

CURSOR = Cursor(datetime(2026, 1, 1, tzinfo=UTC), Tally())
FOUND = Page([uuid4()], replace(CURSOR, delivered=Tally(1, 7)))
NOTHING = Page([], CURSOR)
LONG_SECONDS = 3_600.0
PATIENCE_SECONDS = 20.0


class World:
    """A feed, a database in which something is found as soon as the test says so, and clients that may leave."""

    def __init__(self) -> None:
        self.is_healthy = True
        self.ended = EndedSessions(stopwatch)
        self.stopping = asyncio.Event()
        self.left = asyncio.Event()
        self.has_found = False
        self.looked_at: list[float] = []
        self.looked = asyncio.Event()
        self.waiting = Waiting(self, self.stopping, stopwatch)

    def next_ending(self) -> asyncio.Event:
        return self.ended.next_ending()

    async def look(self, cursor: Cursor) -> Page | None:
        assert cursor is CURSOR
        self.looked_at.append(stopwatch())
        self.looked.set()
        return FOUND if self.has_found else None

    def read(self, *, seconds: float = LONG_SECONDS, key_id: str = "key") -> "asyncio.Task[Page]":
        """Starts a request."""
        return asyncio.create_task(
            self.waiting.read(self.look, CURSOR, seconds=seconds, key_id=key_id, client_left=self._client_left)
        )

    async def until_looked(self, count: int) -> None:
        """Waits until so many looks were made in all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.looked_at) < count:
                self.looked.clear()
                await self.looked.wait()

    def _client_left(self) -> Coroutine[Any, Any, None]:
        async def wait() -> None:
            await self.left.wait()

        return wait()


@pytest.fixture
async def world() -> World:
    return World()


async def result_of(task: "asyncio.Task[Page]") -> Page:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await task


async def test_what_is_there_is_answered_at_once(world: World) -> None:
    world.has_found = True
    assert await result_of(world.read()) is FOUND
    assert len(world.looked_at) == 1


async def test_an_ending_ends_the_waiting(world: World) -> None:
    reading = world.read()
    await world.until_looked(1)
    world.has_found = True
    world.ended.add([uuid4()])
    assert await result_of(reading) is FOUND
    assert len(world.looked_at) == 2


async def test_an_ending_during_the_look_is_not_missed(world: World) -> None:
    """The look has read the database already, and its answer is under way."""
    began = asyncio.Event()

    async def look(_: Cursor) -> Page | None:
        found = world.has_found
        if not began.is_set():
            began.set()
            await asyncio.sleep(0)
            world.has_found = True
            world.ended.add([uuid4()])
        return FOUND if found else None

    reading = world.waiting.read(look, CURSOR, seconds=LONG_SECONDS, key_id="key", client_left=world.left.wait)  # type: ignore[arg-type]  # what it returns does not matter
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await reading is FOUND


async def test_an_ending_that_was_delivered_already_does_not_end_it(world: World) -> None:
    reading = world.read()
    for looks in range(1, 4):
        await world.until_looked(looks)
        world.ended.add([uuid4()])
    await world.until_looked(4)
    assert not reading.done()
    reading.cancel()


async def test_looks_are_apart(world: World) -> None:
    """However many sessions end: a thousand at once are one look."""
    reading = world.read()
    await world.until_looked(1)
    while len(world.looked_at) < 4:
        world.ended.add([uuid4()])
        await asyncio.sleep(0.001)
    reading.cancel()
    pauses = [later - earlier for earlier, later in zip(world.looked_at, world.looked_at[1:], strict=False)]
    assert min(pauses) >= APART_SECONDS


async def test_while_the_feed_works_nothing_is_looked_up_without_an_ending(world: World) -> None:
    reading = world.read(seconds=2 * LOOK_EVERY_SECONDS + 0.5)
    assert await result_of(reading) == NOTHING
    assert len(world.looked_at) == 1


async def test_while_the_feed_is_cut_it_looks_each_second(world: World) -> None:
    """Also if the feed is lost after the waiting has begun."""
    reading = world.read()
    await world.until_looked(1)
    world.is_healthy = False
    await world.until_looked(3)
    world.has_found = True
    assert await result_of(reading) is FOUND
    pauses = [later - earlier for earlier, later in zip(world.looked_at, world.looked_at[1:], strict=False)]
    assert min(pauses) >= 0.9 * LOOK_EVERY_SECONDS


@pytest.mark.parametrize("how", ["time", "stopping", "left"])
async def test_what_else_ends_the_waiting(world: World, how: str) -> None:
    """The same cursor comes back."""
    reading = world.read(seconds=0.3 if how == "time" else LONG_SECONDS)
    await world.until_looked(1)
    if how != "time":
        getattr(world, how).set()
    assert await result_of(reading) == NOTHING
    assert len(world.looked_at) == 1


async def test_a_process_that_stops_lets_nobody_wait(world: World) -> None:
    world.stopping.set()
    assert await result_of(world.read()) == NOTHING


async def test_how_many_wait(world: World) -> None:
    """A third request with a key, and the 201st in all, is answered at once; a place that gets free is taken."""
    waiting = [world.read(key_id="busy") for _ in range(OF_ONE_KEY)]
    await world.until_looked(OF_ONE_KEY)
    assert await result_of(world.read(key_id="busy")) == NOTHING
    others = [world.read(key_id=f"key {number}") for number in range(IN_ALL - OF_ONE_KEY)]
    await world.until_looked(OF_ONE_KEY + 1 + len(others))
    assert await result_of(world.read(key_id="late")) == NOTHING
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    late = world.read(key_id="late")
    await world.until_looked(OF_ONE_KEY + 3 + len(others))
    assert not late.done()
    world.has_found = True
    world.ended.add([uuid4()])
    rest = [waiting[1], late, *others]
    assert [await result_of(each) for each in rest] == [FOUND] * IN_ALL


async def test_without_waiting_no_place_is_needed(world: World) -> None:
    waiting = [world.read() for _ in range(OF_ONE_KEY)]
    await world.until_looked(OF_ONE_KEY)
    world.has_found = True
    assert await result_of(world.read(seconds=0)) is FOUND
    for each in waiting:
        each.cancel()


async def test_a_fault_of_a_look_ends_the_request_and_frees_its_place(world: World) -> None:
    class Gone(Exception):
        pass

    async def look(_: Cursor) -> Page | None:
        if world.has_found:
            raise Gone
        return None

    for _ in range(OF_ONE_KEY + 1):
        world.has_found = False
        reading = asyncio.create_task(
            world.waiting.read(look, CURSOR, seconds=LONG_SECONDS, key_id="key", client_left=world.left.wait)  # type: ignore[arg-type]  # what it returns does not matter
        )
        await asyncio.sleep(0)
        world.has_found = True
        while not reading.done():
            world.ended.add([uuid4()])
            await asyncio.sleep(0.01)
        assert isinstance(reading.exception(), Gone)
