"""Counts in memory: right like the library's, and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from latchkey.counts import SWEEP_EVERY, MemoryCounts

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
