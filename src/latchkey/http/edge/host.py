"""Host: one host and nothing else (trusting it led to Starlette's CVE-2026-48710)."""

import re

from latchkey.http.errors import InvalidHost
from latchkey.http.exchange import Exchange

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)
_LOOPBACK = re.compile(
    r"(([a-z0-9_-]+\.)*localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)


# Granian writes 1.0 as the first, and an empty Host where none was sent.
_VERSIONS_WITHOUT_HOST = frozenset({"1", "1.0"})


def check_host(exchange: Exchange, *, optional: bool = False) -> None:
    """Raises InvalidHost for a request without Host, with two, or with one that holds more than a host and a port.

    `optional`: HTTP/1.0, which has no such header, may leave it out.
    """
    host = exchange.header("host") or ""
    if not host and optional and exchange.scope.get("http_version") in _VERSIONS_WITHOUT_HOST:
        return
    if not _HOST.fullmatch(host):
        raise InvalidHost


def names_loopback(exchange: Exchange) -> bool:
    """Whether Host is a name that always means this machine. A page elsewhere can have a name of its own resolve to this
    machine, but then the browser sends that name (DNS rebinding)."""
    return _LOOPBACK.fullmatch(exchange.header("host") or "") is not None
