"""Counts with an end: those in memory are right and bounded, and RATE_LIMIT_STORAGE chooses the store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits.aio.storage import RedisStorage

from latchkey.bounded_table import ENTRIES_MAX, SWEEP_EVERY
from latchkey.clock import system_clock
from latchkey.counts import MemoryCounts, SharedCounts, open_counts

SECONDS = 900
LIMIT = 100


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(1, 30)), max_size=60))
async def test_counts_as_a_fixed_window_does(steps: list[tuple[str, bool, int]]) -> None:
    """A window begins with its first hit. Later hits do not lengthen it."""
    now = 1000.0
    counts, model = MemoryCounts(lambda: now), dict[str, tuple[int, float]]()
    for key, waits, seconds in steps:
        if waits:
            now += seconds
            continue
        model = {each: window for each, window in model.items() if window[1] > now}
        used, ends_at = model.get(key, (0, now + seconds))
        model[key] = (used + 1, ends_at)
        assert await counts.get(key) == used
        assert await counts.hit(key, seconds) == (used + 1, ends_at)
        assert await counts.get(key) == used + 1


async def test_ended_counts_are_removed() -> None:
    now = 0.0
    counts = MemoryCounts(lambda: now)
    for number in range(10_000):
        now += 1.0
        await counts.hit(f"address {number}", SECONDS)
    assert len(counts) < SECONDS + 2 * SWEEP_EVERY


async def _flood(counts: MemoryCounts, addresses: int, *, hits: int = 1, first: int = 0) -> None:
    for number in range(first, first + addresses):
        for _ in range(hits):
            await counts.hit(f"2001:db8:{number:x}::/64", SECONDS)


async def test_many_networks_do_not_fill_the_memory() -> None:
    """None of the counts has ended. New visitors are still counted from 1."""
    counts = MemoryCounts(lambda: 0.0)
    await _flood(counts, ENTRIES_MAX + 10_000)
    assert len(counts) == ENTRIES_MAX
    for number in range(100):
        assert await counts.hit(f"visitor {number}", SECONDS) == (1, SECONDS)


async def test_a_flood_does_not_free_an_address_over_the_limit() -> None:
    """The flood's own addresses stay far from their limits."""
    counts = MemoryCounts(lambda: 0.0, entries_max=1_000)
    for _ in range(LIMIT + 1):
        await counts.hit("blocked", SECONDS)
    for hits in (1, 2, 20):
        await _flood(counts, 10_000, hits=hits, first=hits * 100_000)
        assert len(counts) == 1_000
    assert await counts.hit("blocked", SECONDS) == (LIMIT + 2, SECONDS)


async def test_a_frequent_visitor_keeps_its_count_in_a_flood() -> None:
    counts = MemoryCounts(lambda: 0.0, entries_max=1_000)
    for visits in range(1, LIMIT + 1):
        assert await counts.hit("visitor", SECONDS) == (visits, SECONDS)
        await _flood(counts, 30 if visits == 1 else 300, first=visits * 1_000)


async def test_ended_counts_make_room_first() -> None:
    """Even with a higher count than the others."""
    now = 0.0
    counts = MemoryCounts(lambda: now, entries_max=20)
    for number in range(10):
        for _ in range(LIMIT):
            await counts.hit(f"old {number}", 10)
    now = 20.0
    for number in range(10):
        await counts.hit(f"new {number}", SECONDS)
    for number in range(8):
        await counts.hit(f"newest {number}", SECONDS)
    held = [f"{kind} {number}" for kind in ("new", "newest") for number in range(8)]
    assert [(await counts.hit(name, SECONDS))[0] for name in held] == [2] * 16


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=300), st.integers(1, 30))
async def test_the_bound_always_holds(hits: list[tuple[int, int]], bound: int) -> None:
    """A count never grows by more than its own hits."""
    now = 0.0
    counts = MemoryCounts(lambda: now, entries_max=bound)
    made: dict[int, int] = {}
    for key, wait in hits:
        now += wait
        made[key] = made.get(key, 0) + 1
        count, ends_at = await counts.hit(str(key), 30)
        assert 1 <= count <= made[key]
        assert now < ends_at <= now + 30
        assert len(counts) <= bound


@pytest.mark.parametrize(
    "url", ["redis://valkey:6379/0", "valkey://valkey:6379/0", "rediss://valkey.example:6380", "valkey://redis:6379"]
)
def test_only_the_scheme_of_a_valkey_url_is_translated(url: str) -> None:
    """A host named `valkey` or `redis` keeps its name."""
    counts = open_counts(url, system_clock)
    assert isinstance(counts, SharedCounts)
    assert isinstance(counts.storage, RedisStorage)
    scheme = "rediss" if url.startswith("rediss") else "redis"
    assert counts.storage.bridge.uri == f"{scheme}://{url.partition('://')[2]}"


def test_the_default_storage_is_memory() -> None:
    assert isinstance(open_counts("memory://", system_clock), MemoryCounts)
