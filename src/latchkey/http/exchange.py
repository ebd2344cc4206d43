"""One request on its way through the edge to its endpoint."""

import re
from typing import Any, TypeVar

from starlette.types import Receive, Scope

from latchkey.http.request_kind import RequestKind
from latchkey.origin import Origin

T = TypeVar("T")
# RFC 6750 section 2.1: the scheme, spaces and one token; here a JWS in compact form.
_BEARER_JWS = re.compile(r"bearer +([\w-]+\.[\w-]*\.[\w-]*)", re.ASCII | re.IGNORECASE)
_BEARER = re.compile(r"bearer(?: .*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
USER_AGENT_MAX = 512
WHITE_SPACE = " \t"
"""The white space around the parts of a header (RFC 9110 section 5.6.3, RFC 6265bis section 5.6).

Without it, str.strip() would remove U+00A0, U+0085 and more from a cookie's name, and a foreign cookie could pass for
ours.
"""


TWINS_MAX = 4


class RepeatedCookie(Exception):
    """A cookie of ours came several times, and the values do not tell which one Latchkey set."""


class Exchange:
    """The state of one request. The edge fills it in; endpoints only read it.

    `headers` maps lower-case names to values, repeated ones joined as in RFC 9110 section 5.3. `peer` is the address of
    the connection, `client_ip` the client's; behind a trusted proxy they differ. `from_proxy`: the peer is a trusted
    proxy, so its X-Forwarded headers are believed. `kind` holds from the CSRF check on. `proof` is what the rate limit
    has found out about an API key.
    """

    __slots__ = (
        "_cookies", "answer_headers", "body", "client_ip", "from_proxy", "headers", "kind", "limiter_failed", "method",
        "path", "peer", "proof", "raw_path", "receive", "request_id", "scope",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, request_id: str) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = scope.get("raw_path") or self.path.encode()
        self.headers = _joined(scope["headers"])
        self.peer: str = scope["client"][0] if scope.get("client") else ""
        self.client_ip = self.peer
        self.from_proxy = False
        self.request_id = request_id
        self.body = b""
        self.answer_headers: list[tuple[bytes, bytes]] = []
        self.limiter_failed = False
        self.kind = RequestKind.COOKIE
        self.proof: object = None
        self._cookies: dict[str, list[str]] | None = None

    def header(self, name: str) -> str | None:
        """Returns the value of a header by its lower-case name, or None."""
        return self.headers.get(name)

    def cookies(self, name: str) -> list[str]:
        """Returns the values of a cookie in the order of the request; none if the request's kind reads no cookies.

        Several come if another or an older application has set the name for a narrower path; browsers send that one
        first. The one that verifies counts; see `only_one`. Raises RepeatedCookie for more than four.
        """
        if self.kind is not RequestKind.COOKIE:
            return []
        values = self._all_cookies().get(name, [])
        if len(values) > TWINS_MAX:
            raise RepeatedCookie(name)
        return [] if values == [""] else values

    def has_cookie(self, name: str) -> bool:
        """Tells whether a cookie came with any value but the empty one, whatever the kind of the request."""
        return any(self._all_cookies().get(name, ()))

    def _all_cookies(self) -> dict[str, list[str]]:
        if self._cookies is None:
            self._cookies = _parse_cookies(self.headers.get("cookie", ""))
        return self._cookies

    def bearer_token(self) -> str | None:
        """Returns the JWS of `Authorization: Bearer`. None for anything else."""
        authorization = self.headers.get("authorization")
        matched = _BEARER_JWS.fullmatch(authorization) if authorization else None
        return matched[1] if matched else None

    def has_bearer(self) -> bool:
        """Tells whether the request has `Authorization: Bearer`, with whatever value."""
        return bool(_BEARER.fullmatch(self.headers.get("authorization") or ""))

    async def disconnected(self) -> None:
        """Waits until the client closes its connection. For requests whose body is read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def origin(self) -> Origin:
        """Returns client address, user agent (without control characters, at most 512 characters) and request id."""
        agent = self.headers.get("user-agent")
        if agent is not None and not agent.isprintable():
            agent = "".join(character for character in agent if character.isprintable())
        return Origin(self.client_ip or None, agent and agent[:USER_AGENT_MAX], self.request_id)


def only_one(values: list[T]) -> T | None:
    """Returns the only verified value, or None. Raises RepeatedCookie for several."""
    if len(values) > 1:
        raise RepeatedCookie
    return values[0] if values else None


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def _parse_cookies(header: str) -> dict[str, list[str]]:
    cookies: dict[str, list[str]] = {}
    for pair in header.split(";"):
        name, separator, value = pair.partition("=")
        if separator:
            cookies.setdefault(name.strip(WHITE_SPACE), []).append(value.strip(WHITE_SPACE))
    return cookies


def answer_header(name: str, value: str) -> tuple[bytes, bytes]:
    """Returns a response header in ASGI's form. Raises UnicodeEncodeError for unencodable text."""
    return name.lower().encode("ascii"), value.encode("latin-1")


JsonObject = dict[str, Any]
