"""The only module that asks what time it is; everything else is passed a `Clock`."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds since the Unix epoch, UTC."""


def system_clock() -> float:
    """The machine's wall clock: seconds since the Unix epoch, UTC."""
    return time.time()


def stopwatch() -> float:
    """Seconds on a clock that never goes back, for measuring how long something took."""
    return time.perf_counter()
