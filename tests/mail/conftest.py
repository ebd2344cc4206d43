"""An SMTP server, and Latchkeys that send to it."""

from collections.abc import Callable, Iterator

import pytest

from tests.harness.server import Server
from tests.mail.smtp_server import SmtpServer, settings_of


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A server that takes everything."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailing(start: Callable[..., Server], smtp: SmtpServer) -> Server:
    """A Latchkey of the test's own that sends by that server."""
    return start(**settings_of(smtp))
