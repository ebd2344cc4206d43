"""Guesses: the same in memory and in a real Redis, step by step."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge

from latchkey.clock import system_clock
from latchkey.counts import SharedCounts, open_counts
from latchkey.features.sign_in.guesses import BUSY, FREE_NOW, Allowance, Ending, MemoryGuesses, delay_after
from latchkey.features.sign_in.shared_guesses import SharedGuesses
from tests.kit.redis_server import RedisServer

steps = st.lists(
    st.tuples(st.sampled_from(["begin", "forget", *Ending]), st.sampled_from("abcdef"), st.sampled_from([1, 2, 3])),
    max_size=40,
)


@pytest.fixture(scope="module")
def store(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running Redis."""
    server = RedisServer(require("redis-server"), tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


def kind(wait: float) -> str:
    """What an answer of `begin` says, whatever the time."""
    return "free" if wait == FREE_NOW else "busy" if wait == BUSY else f"in {round(wait)} s"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(taken=steps)
def test_memory_and_store_agree(store: RedisServer, taken: list[tuple[str, str, int]]) -> None:
    """The clock of the one stands still and that of the other moves by milliseconds, so both say the same."""
    allowances = (Allowance("{x}/own", 3), Allowance("{x}/all", 4))

    async def compare() -> None:
        counts = open_counts(f"redis://{store.address}", system_clock)
        assert isinstance(counts, SharedCounts)
        shared, memory = SharedGuesses(counts), MemoryGuesses(lambda: 1000.0)
        for step, guess, which in taken:
            some = tuple(allowance for bit, allowance in enumerate(allowances, 1) if which & bit)
            if step == "begin":
                assert kind(await shared.begin(guess, some)) == kind(await memory.begin(guess, some))
            elif step == "forget":
                await asyncio.gather(shared.forget(some), memory.forget(some))
            else:
                await asyncio.gather(*(each.end(guess, some, Ending(step)) for each in (shared, memory)))
        assert isinstance(counts.storage, RedisStorage)
        assert isinstance(counts.storage.bridge, RedispyBridge)
        await counts.storage.bridge.storage.aclose()

    with store.client() as client:
        client.flushall()
        asyncio.run(compare())
        assert all(0 < client.ttl(key) <= 3600 for key in client.scan_iter())


async def test_time_passes() -> None:
    """Failures are forgotten after an hour, guesses that never end after their lease, and nothing is kept of either."""
    now = 1000.0
    guesses, allowances = MemoryGuesses(lambda: now), (Allowance("x", 2),)
    assert [await guesses.begin(guess, allowances) for guess in "abc"] == [FREE_NOW, FREE_NOW, BUSY]
    now += 90
    assert await guesses.begin("c", allowances) == FREE_NOW
    for guess in "cd":
        await guesses.end(guess, allowances, Ending.FAILED)
    assert await guesses.begin("e", allowances) == 1
    now += 1
    assert await guesses.begin("e", allowances) == FREE_NOW
    await guesses.end("e", allowances, Ending.FAILED)
    assert await guesses.begin("f", allowances) == 2
    now += 3600
    assert await guesses.begin("f", allowances) == FREE_NOW
    await guesses.end("f", allowances, Ending.UNKNOWN)
    assert len(guesses) == 0


async def test_memory_has_a_bound() -> None:
    """A flood of addresses neither grows it nor frees the account that has failed more often."""
    guesses = MemoryGuesses(lambda: 1000.0, entries_max=50)
    target = (Allowance("target", 5),)
    for number in range(5):
        await guesses.begin(str(number), target)
        await guesses.end(str(number), target, Ending.FAILED)
    for number in range(1000):
        flood = (Allowance(f"flood {number}", 5),)
        assert await guesses.begin("x", flood) == FREE_NOW
        await guesses.end("x", flood, Ending.FAILED)
    assert len(guesses) == 50
    assert await guesses.begin("y", target) == 1


def test_the_delay_doubles_up_to_a_minute() -> None:
    assert [delay_after(failures, 5) for failures in (0, 4, 5, 6, 7, 10, 11, 1000)] == [0, 0, 1, 2, 4, 32, 60, 60]
