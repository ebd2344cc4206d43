"""The request that a proxy asks about, as its X-Forwarded headers describe it.

Anyone can write these headers. They are believed from trusted proxies alone.
"""

import re

from latchkey.http.edge.own_origin import is_origin
from latchkey.http.endpoint import SAFE_METHODS
from latchkey.http.exchange import Exchange

# A target in origin form (RFC 9112 section 3.2.1), of characters that a URL may have.
_TARGET = re.compile(r"/[!-~]*")


def is_safe(exchange: Exchange) -> bool:
    """Tells whether the request to the app changes nothing. Without a method it may be any."""
    return exchange.from_proxy and exchange.header("x-forwarded-method") in SAFE_METHODS


def app_origin(exchange: Exchange) -> str:
    """Returns the origin of the app (scheme://host:port), or "" if the proxy does not tell one."""
    if not exchange.from_proxy:
        return ""
    origin = f"{exchange.header('x-forwarded-proto')}://{exchange.header('x-forwarded-host')}"
    return origin if is_origin(origin) else ""


def app_url(exchange: Exchange) -> str:
    """Returns the URL that was asked of the app, or "" if the proxy does not tell it."""
    origin, target = app_origin(exchange), exchange.header("x-forwarded-uri") or ""
    return origin + target if origin and _TARGET.fullmatch(target) else ""
