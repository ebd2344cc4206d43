"""Each command test has its own database."""

import pytest

from tests.kit.stored import Sql


@pytest.fixture
def sql(own_sql: Sql) -> Sql:
    """A connection to the test's database."""
    return own_sql
