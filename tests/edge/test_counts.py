"""Counts in memory: right like the library's, and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from latchkey.counts import ENTRIES_MAX, SWEEP_EVERY, MemoryCounts

steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["incr", "get", "clear", "wait"]), st.integers(1, 30)),
    max_size=60,
)


@given(steps)
async def test_counts_as_a_fixed_window_does(steps: list[tuple[str, str, int]]) -> None:
    """A window begins with its first hit, ends when it said, and hits do not lengthen it."""
    now = 1000.0
    counts, model = MemoryCounts(lambda: now), dict[str, tuple[int, float]]()
    for key, step, seconds in steps:
        model = {each: window for each, window in model.items() if window[1] > now}
        if step == "wait":
            now += seconds
        elif step == "clear":
            await counts.clear(key)
            model.pop(key, None)
        elif step == "incr":
            used, ends_at = model.get(key, (0, now + seconds))
            model[key] = (used + 1, ends_at)
            assert await counts.hit(key, seconds) == (used + 1, ends_at)
        else:
            assert await counts.get(key) == model.get(key, (0, 0.0))[0]


async def test_it_forgets() -> None:
    now = 0.0
    counts = MemoryCounts(lambda: now)
    for number in range(10_000):
        now += 1.0
        await counts.hit(f"address {number}", 900)
    assert len(counts) < 900 + 2 * SWEEP_EVERY


SECONDS = 900
LIMIT = 100


async def _flood(counts: MemoryCounts, addresses: int, *, hits: int = 1, first: int = 0) -> None:
    for number in range(first, first + addresses):
        for _ in range(hits):
            await counts.hit(f"2001:db8:{number:x}::/64", SECONDS)


async def test_a_million_networks_fill_no_memory() -> None:
    """All within one window, so that nothing has ended; nobody is refused for it."""
    counts = MemoryCounts(lambda: 0.0)
    await _flood(counts, 3 * ENTRIES_MAX)
    assert len(counts) == ENTRIES_MAX
    for number in range(100):
        assert await counts.hit(f"visitor {number}", SECONDS) == (1, SECONDS)


async def test_a_flood_frees_nobody_who_is_over_the_limit() -> None:
    """However many other networks its sender has, as long as they are not near their limits, too."""
    counts = MemoryCounts(lambda: 0.0, entries_max=1_000)
    for _ in range(LIMIT + 1):
        await counts.hit("blocked", SECONDS)
    for hits in (1, 2, 20):
        await _flood(counts, 10_000, hits=hits, first=hits * 100_000)
        assert len(counts) == 1_000
    assert await counts.hit("blocked", SECONDS) == (LIMIT + 2, SECONDS)


async def test_who_comes_often_keeps_the_count_in_a_flood() -> None:
    """A visitor among strangers who come once each is counted as ever, and so is one that has just come."""
    counts = MemoryCounts(lambda: 0.0, entries_max=1_000)
    for visits in range(1, LIMIT + 1):
        assert await counts.hit("visitor", SECONDS) == (visits, SECONDS)
        await _flood(counts, 30 if visits == 1 else 300, first=visits * 1_000)


async def test_what_has_ended_makes_room_first() -> None:
    """Even with a higher count."""
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
    held = [name for kind in ("new", "newest") for name in (f"{kind} {number}" for number in range(8))]
    assert [await counts.get(name) for name in held] == [1] * 16


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=300), st.integers(1, 30))
async def test_the_bound_always_holds(hits: list[tuple[int, int]], bound: int) -> None:
    """In any order; and a count never grows by more than its own hits."""
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
