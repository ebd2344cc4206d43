"""The only module that reads the clock. Other code gets a `Clock`."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since the Unix epoch, UTC."""
SECONDS_A_DAY = 86_400


def system_clock() -> float:
    """Returns the machine's time in seconds since the Unix epoch, UTC."""
    return time.time()


def stopwatch() -> float:
    """Returns seconds on a clock that never goes back, to measure durations."""
    return time.perf_counter()
