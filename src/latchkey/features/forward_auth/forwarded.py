"""The request that a proxy asks about, as its X-Forwarded headers describe it."""

import re
from dataclasses import dataclass

from latchkey.http.edge.own_origin import is_origin
from latchkey.http.endpoint import SAFE_METHODS
from latchkey.http.exchange import Exchange

# A target in origin form (RFC 9112 section 3.2.1), of characters that a URL may have.
_TARGET = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A request to an app: whether its method is a safe one, its origin (scheme://host:port) and its URL.

    Origin and URL are empty if the proxy does not tell them. Without a method, the request counts as unsafe.
    """

    is_safe: bool = False
    origin: str = ""
    url: str = ""


def read_forwarded(exchange: Exchange) -> Forwarded:
    """Returns what a trusted proxy says. Anyone else can write these headers, so nothing is believed of them."""
    if not exchange.from_proxy:
        return Forwarded()
    origin = f"{exchange.header('x-forwarded-proto')}://{exchange.header('x-forwarded-host')}"
    if not is_origin(origin):
        origin = ""
    target = exchange.header("x-forwarded-uri") or ""
    return Forwarded(
        exchange.header("x-forwarded-method") in SAFE_METHODS,
        origin,
        origin + target if origin and _TARGET.fullmatch(target) else "",
    )
