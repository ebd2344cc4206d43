"""A budget of time for a run: what has not begun by then is left out, and the report says how much that is."""

import time

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--last-start`: seconds since 1970, the same for all workers."""
    parser.addoption("--last-start", type=float, required=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips the test when it would begin too late, before any of its fixtures does."""
    if time.time() > item.config.getoption("--last-start"):
        pytest.skip("left out, the time is up: `make test` runs it")
