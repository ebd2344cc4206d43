"""A Latchkey that trusts the proxy in front, and somebody who comes through that proxy."""

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest

from tests.kit.asking_proxy import ACCOUNTS, LISTED, AskingProxy
from tests.kit.browser import Browser
from tests.kit.server import Server, start_server
from tests.kit.wire import Wire

_addresses = count(1)


@pytest.fixture(scope="module")
def trusting(session_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server that believes X-Forwarded headers of this machine, once for all tests of a module."""
    running = start_server(
        session_database,
        tmp_path_factory.mktemp("trusting"),
        TRUSTED_PROXIES="127.0.0.1",
        PUBLIC_URL=ACCOUNTS,
        CORS_ORIGINS=LISTED,
        SIGN_IN_URL=f"{ACCOUNTS}/sign-in?theme=dark",
        RATE_LIMIT="60/hour",
    )
    yield running
    assert running.stop() == 0, running.printed()


@pytest.fixture
def visitor(trusting: Server, wire: Wire) -> Iterator[Browser]:
    """Opens a browser there. It has an address of its own, so that its requests are counted apart."""
    opened = Browser(trusting, wire, headers={"X-Forwarded-For": f"2001:db8:{next(_addresses):x}::1"})
    yield opened
    opened.close()


@pytest.fixture
def ask(visitor: Browser) -> Callable[..., httpx.Response]:
    """Asks about the requests of that browser: `AskingProxy.ask`."""
    return AskingProxy(visitor).ask
