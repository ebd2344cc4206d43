"""Waits for conditions, with a deadline that a busy machine does not reach."""

import time
from collections.abc import Callable

SECONDS = 60.0


def eventually(condition: Callable[[], bool], what: str, *, within: float = SECONDS) -> None:
    """Waits until the condition holds. Raises AssertionError at the deadline."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.02)
