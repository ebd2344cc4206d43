"""Compares how long requests take, on a machine that others use, too.

A leak shows every time, noise does not, so a comparison fails only if it fails three times running.
"""

import time
from collections.abc import Callable
from statistics import median

ATTEMPTS = 3
WARM_UP = 3
Ask = Callable[[], object]


def seconds(ask: Ask, settle: Ask) -> float:
    """How long that takes, once all that went before has settled."""
    settle()
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def compare(ask: Ask, other: Ask, pairs: int, settle: Ask = lambda: None) -> tuple[float, float]:
    """The median time of `ask`, and the median by which `other` takes longer: measured in pairs, in turns, so that
    what slows the machine down slows both."""
    for _ in range(WARM_UP):
        ask()
        other()
    times: list[tuple[float, float]] = []
    for number in range(pairs):
        if number % 2:
            times.append((seconds(ask, settle), seconds(other, settle)))
        else:
            second, first = seconds(other, settle), seconds(ask, settle)
            times.append((first, second))
    return median(first for first, _ in times), median(second - first for first, second in times)


def assert_compared(
    ask: Ask, other: Ask, is_right: Callable[[float, float], bool], *, pairs: int, settle: Ask = lambda: None
) -> None:
    """Holds what `is_right` says of the two times that `compare` gives."""
    measured = []
    for _ in range(ATTEMPTS):
        usual, difference = compare(ask, other, pairs, settle)
        measured.append(f"{usual * 1000:.2f} ms, {difference * 1000:+.2f} ms")
        if is_right(usual, difference):
            return
    raise AssertionError(f"not as it should be, three times running: {measured}")


def assert_equal_time(ask: Ask, other: Ask, *, tolerance: float, pairs: int, settle: Ask = lambda: None) -> None:
    """Holds that the two differ by less than that part of the time that the first takes."""
    assert_compared(
        ask, other, lambda usual, difference: abs(difference) < tolerance * usual, pairs=pairs, settle=settle
    )
