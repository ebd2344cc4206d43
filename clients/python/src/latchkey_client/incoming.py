"""What a request brings: its token, and whether a page of this app sent it."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from latchkey_client.errors import AmbiguousCredentials, Forbidden, InvalidToken, Unauthorized
from latchkey_client.tokens import looks_like_token

# RFC 9110 section 5.6.3. Without it, str.strip() would also remove U+00A0 and more from a cookie's name, and a cookie that
# a sibling domain has set could pass for Latchkey's.
_WHITE_SPACE = " \t"
# RFC 6750, section 2.1.
_BEARER = re.compile(r"bearer(?: +(.*))?", re.ASCII | re.IGNORECASE | re.DOTALL)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The form that browsers send (RFC 6454, section 6.2).
_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as an adapter hands it over.

    `headers` returns all values of a header. `own_origin` returns the origin that the app believes to have.
    """

    method: str
    headers: Callable[[str], Sequence[str]]
    own_origin: Callable[[], str]


def read_origins(origins: Iterable[str]) -> frozenset[Origin]:
    """Returns the origins in comparable form. Raises ValueError for one that no browser sends."""
    if isinstance(origins, str):
        raise TypeError("origins is a list of origins, not one string")
    read = set()
    for origin in origins:
        if (parsed := _parse(origin)) is None:
            raise ValueError(f"{origin!r} is not an origin: write scheme://host or scheme://host:port")
        read.add(parsed)
    return frozenset(read)


def brings_bearer(request: Incoming) -> bool:
    """Tells whether the request has a bearer token, of whatever form (RFC 6750, section 2.1)."""
    return bool(_bearer_values(request))


def brings_token(request: Incoming, cookie_name: str) -> bool:
    """Tells whether the request has a bearer token or the cookie, of whatever form."""
    return bool(_bearer_values(request) or _cookie_values(request, cookie_name))


def find_token(request: Incoming, cookie_name: str, origins: frozenset[Origin]) -> str:
    """Returns the only token of a request.

    Raises Unauthorized without one, InvalidToken or AmbiguousCredentials for several, and Forbidden for a cookie that
    another origin's page sent with an unsafe method.
    """
    cookie = _cookie(request, cookie_name)
    bearer = _bearer_token(request, beside_cookie=cookie is not None)
    if cookie and bearer:
        raise AmbiguousCredentials("the request has both an access cookie and a bearer token")
    if bearer:
        return bearer
    if not cookie:
        raise Unauthorized(f"the request has neither a bearer token nor the cookie {cookie_name}")
    if request.method not in SAFE_METHODS:
        _require_own_page(request, origins)
    return cookie


def _cookie_values(request: Incoming, name: str) -> set[str]:
    pairs = [pair.partition("=") for header in request.headers("cookie") for pair in header.split(";")]
    values = {value.strip(_WHITE_SPACE) for key, _, value in pairs if key.strip(_WHITE_SPACE) == name}
    return values - {""}


def _cookie(request: Incoming, name: str) -> str | None:
    values = _cookie_values(request, name)
    if len(values) > 1:
        raise InvalidToken(f"the cookie {name} came with different values")
    return values.pop() if values else None


def _bearer_values(request: Incoming) -> list[str]:
    matched = [_BEARER.fullmatch(value.strip(_WHITE_SPACE)) for value in request.headers("authorization")]
    return [bearer[1] or "" for bearer in matched if bearer]


def _bearer_token(request: Incoming, *, beside_cookie: bool) -> str | None:
    values = _bearer_values(request)
    if len(values) > 1:
        raise InvalidToken("the request has several bearer tokens")
    if not values or looks_like_token(values[0]):
        return values[0] if values else None
    if beside_cookie:
        # A page that sends "Bearer null" means its cookie.
        return None
    raise InvalidToken("the bearer token is not a JWS in compact form")


def _require_own_page(request: Incoming, origins: frozenset[Origin]) -> None:
    """Refuses a request that a page of another origin sent with the user's cookie (cross-site request forgery)."""
    sent = request.headers("origin")
    if not sent:
        if list(request.headers("sec-fetch-site")) == ["same-origin"]:
            return
        raise Forbidden("it has neither an Origin nor Sec-Fetch-Site: same-origin")
    origin = _parse(sent[0]) if len(sent) == 1 else None
    own = request.own_origin()
    if origin is None or (origin not in origins and not _is_own(origin, own)):
        raise Forbidden(f"its Origin {sent[0][:200]!r} is neither {own[:200]!r} nor in origins")


def _is_own(origin: Origin, own: str) -> bool:
    # An app behind a proxy that ends TLS believes to be http.
    secure = re.sub(r"\Ahttp:", "https:", own)
    return origin in {_parse(own), _parse(secure)}


def _parse(origin: str) -> Origin | None:
    parts = _ORIGIN.fullmatch(origin)
    return (parts[1], parts[2].lower(), int(parts[3] or _DEFAULT_PORTS[parts[1]])) if parts else None
