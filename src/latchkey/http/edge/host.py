"""Checks Host: exactly one host (trusting it caused Starlette's CVE-2026-48710)."""

import re

from latchkey.http.errors import InvalidHost
from latchkey.http.exchange import Exchange

_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)
_LOOPBACK = re.compile(
    r"(([a-z0-9_-]+\.)*localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)


# Granian passes HTTP/1.0 as "1", and an absent Host as an empty one.
_VERSIONS_WITHOUT_HOST = frozenset({"1", "1.0"})


def check_host(exchange: Exchange, *, optional: bool = False) -> None:
    """Raises InvalidHost for a request with no Host, with two, or with more than a host and a port in it.

    `optional`: HTTP/1.0, which has no such header, may omit it.
    """
    host = exchange.header("host") or ""
    if not host and optional and exchange.scope.get("http_version") in _VERSIONS_WITHOUT_HOST:
        return
    if not _HOST.fullmatch(host):
        raise InvalidHost


def names_loopback(exchange: Exchange) -> bool:
    """Tells whether Host is a name that always means this machine.

    A page elsewhere can make its own name resolve to this machine, but the browser then sends that name (DNS
    rebinding).
    """
    return _LOOPBACK.fullmatch(exchange.header("host") or "") is not None
