"""A time budget for a run: tests that would begin too late are skipped, and the report counts them."""

import time

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--last-start`: seconds since 1970, the same for all workers."""
    parser.addoption("--last-start", type=float, required=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test that would begin too late, before its fixtures begin."""
    if time.time() > item.config.getoption("--last-start"):
        pytest.skip("the time is up: `make test` runs this test")
