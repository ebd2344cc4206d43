"""Fixtures of all tests."""

from collections.abc import Iterator

import pytest

from tests.kit.issuer import Issuer, running_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A Latchkey of this test's own."""
    with running_issuer() as issuer:
        yield issuer
