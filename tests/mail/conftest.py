"""An SMTP server, and Latchkeys that send to it."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.harness.server import Server
from tests.mail.smtp_server import SmtpServer, settings_of
from tests.scenarios.stored import Sql


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A server that takes everything."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailing(start: Callable[..., Server], smtp: SmtpServer) -> Server:
    """A Latchkey of the test's own that sends by that server."""
    return start(**settings_of(smtp))


@pytest.fixture
def own_sql(database: str) -> Iterator[Sql]:
    """A connection to the test's own database."""
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection
