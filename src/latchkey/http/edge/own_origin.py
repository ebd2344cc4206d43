"""Tells Latchkey's own origin from others."""

import re

from latchkey.http.exchange import Exchange

# The form that browsers send (RFC 6454 section 6.2). A URL parser would accept more: a user, a path, a tab in a name.
_HOST_AND_PORT = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?"
_ORIGIN = re.compile(rf"(https?)://{_HOST_AND_PORT}")
_HOST = re.compile(_HOST_AND_PORT)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class OwnOrigin:
    """Compares an Origin with `public`, the origin that the operator has set.

    Without it, accepts `assumed`, and Host with either scheme, because TLS may end before Latchkey. A page that an
    attacker on the network path serves over http then counts as our own.
    """

    def __init__(self, *, public: str | None, assumed: str | None) -> None:
        self._origin = _parsed(public or assumed or "")
        self.public = public

    def is_that_of(self, exchange: Exchange) -> bool:
        """Tells whether the request has an Origin and it is our own."""
        return self.is_own(exchange.header("origin") or "", exchange.header("host"))

    def is_own(self, origin: str, host: str | None) -> bool:
        """Tells whether an origin is our own. `host` is the Host of the request that asks."""
        parsed = _parsed(origin)
        if parsed is None:
            return False
        return parsed == self._origin or (self.public is None and _names_host(parsed, host))


def is_origin(text: str) -> bool:
    """Tells whether a text is an http(s) origin in the form that browsers send."""
    return _parsed(text) is not None


def is_same_origin(one: str, other: str) -> bool:
    """Tells whether two texts are the same origin. Without a port, the scheme's own one is meant."""
    parsed = _parsed(one)
    return parsed is not None and parsed == _parsed(other)


def _parsed(origin: str) -> tuple[str, str, int] | None:
    parts = _ORIGIN.fullmatch(origin)
    return (parts[1], parts[2].lower(), int(parts[3] or _DEFAULT_PORTS[parts[1]])) if parts else None


def _names_host(origin: tuple[str, str, int], host: str | None) -> bool:
    scheme, name, port = origin
    own = _HOST.fullmatch(host or "")
    return own is not None and (own[1].lower(), int(own[2] or _DEFAULT_PORTS[scheme])) == (name, port)
