"""What every test may ask for; most of it is in tests/kit."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("latchkey", deadline=None)
# For `make test-long`.
settings.register_profile("long", deadline=None, max_examples=4_000)
settings.load_profile("latchkey")

pytest_plugins = ["tests.kit.postgres", "tests.kit.fixtures", "tests.kit.chromium"]

FAULTS = Path(__file__).parent / "faults"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that have a command of their own: those in a browser, and those of faults."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("pages")
        elif FAULTS in item.path.parents:
            item.add_marker("faults")


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """Finds a program that a test needs: `require("chromium")` is its path. Where it is missing the test is skipped,
    but in CI (the variable CI is set) it fails."""

    def find(program: str) -> str:
        found = shutil.which(program)
        if found is not None:
            return found
        reason = f"{program} is not installed; .ci/run shows what to install"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    return find
