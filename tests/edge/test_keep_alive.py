"""How long a connection may be idle, and how long the head of a request may take: one timer of the server for both."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.app import Settings
from latchkey.cli.connections import keep_alive_seconds
from latchkey.settings import SettingsError, load_settings
from tests.kit.raw_http import RawConnection
from tests.kit.server import Server

HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: local"
REST_OF_IT = b"host\r\n\r\n"


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, 10),
        ({"trusted_proxies": "127.0.0.1"}, 75),
        ({"keep_alive_seconds": 30}, 30),
        ({"keep_alive_seconds": 620, "trusted_proxies": "10.0.0.0/16,fd00::1"}, 620),
        ({"keep_alive_seconds": 5, "trusted_proxies": "127.0.0.1"}, 5),
    ],
)
@pytest.mark.usefixtures("nothing_set")
def test_how_long(settings: dict[str, Any], seconds: int) -> None:
    """Proxies expect idle connections to stay; strangers need them less, and could hold many."""
    assert keep_alive_seconds(load_settings(Settings, **settings)) == seconds


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "3601", "long"])
@pytest.mark.usefixtures("nothing_set")
def test_values_that_cannot_be(value: str) -> None:
    with pytest.raises(SettingsError, match="KEEP_ALIVE_SECONDS"):
        load_settings(Settings, keep_alive_seconds=value)


@pytest.mark.parametrize("asked_before", [False, True])
@pytest.mark.parametrize("sent", [b"", HALF_A_HEAD])
def test_it_ends_a_connection(start: Callable[..., Server], sent: bytes, asked_before: bool) -> None:
    """Silent from the start, in the middle of a head, and between two requests."""
    server = start(KEEP_ALIVE_SECONDS="1")
    with RawConnection(server, patience=20) as connection:
        if asked_before:
            assert connection.answer(HALF_A_HEAD + REST_OF_IT).status == 200
        connection.send(sent)
        assert connection.ended()
