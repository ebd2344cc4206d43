"""CSRF: signed double submit and the origin rule.

The cookie is `seed.mac(seed)`, a token is `nonce.mac(seed, nonce)`: both are HMAC-SHA256 under a key of their own,
so that a pair which this server did not issue is refused, and all instances agree without storing anything.

While the secret is rotated, cookie and token may have been signed with different ones. A cookie of an accepted secret
is signed again, for the same seed, when its next token is issued: earlier tokens stay good.
"""

import hmac
import re
import secrets
from collections.abc import Iterator

import structlog

from latchkey.http.edge.own_origin import OwnOrigin
from latchkey.http.errors import CsrfRefused
from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.keys import Mac, Secret, base64url

_SIGNED = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})", re.ASCII)
TOKEN_HEADERS = ("x-csrf-token", "csrf-token", "x-xsrf-token", "xsrf-token")
"""The headers that csurf reads, so its clients (axios, Angular) work. If several are sent, they must be equal."""
_NONCE_BYTES = 16
_NONCES_AT_ONCE = 256
ORIGIN_MAX_CHARS = 200
log = structlog.get_logger(__name__)


_Seed = tuple[str, bool]
"""What a genuine cookie and its tokens share, and whether the current secret has signed that cookie."""


class Csrf:
    """Issues and checks CSRF tokens. `cookie_name` includes its prefix; `allowed` are the other permitted origins.

    `explains`: answers say why the origin rule refuses.
    """

    def __init__(
        self,
        secret: Secret,
        *,
        cookie_name: str,
        secure: bool,
        own: OwnOrigin,
        allowed: frozenset[str],
        explains: bool = False,
    ) -> None:
        self._mac = Mac(secret, "csrf")
        self.cookie_name = cookie_name
        self._flags = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
        self._own = own
        self._allowed = allowed
        self._explains = explains
        self._random = _random()

    def issue(self, exchange: Exchange) -> tuple[str, str | None]:
        """Returns a token, and the Set-Cookie value for it unless the request has a cookie of the current secret."""
        seed = self._seed(exchange)
        text, is_current = seed or (next(self._random), False)
        cookie = None
        if not is_current:
            cookie = f"{self.cookie_name}={text}.{self._signature(f'cookie|{text}')}{self._flags}"
        nonce = next(self._random)
        return f"{nonce}.{self._signature(f'token|{text}|{nonce}')}", cookie

    def check(self, exchange: Exchange) -> None:
        """Raises CsrfRefused if an unsafe request is cross-site or has no valid cookie and token."""
        if (cause := self._cross_site_cause(exchange)) is not None:
            log.warning("a change was refused by the origin rule", cause=cause, request_id=exchange.request_id)
            raise CsrfRefused(cause=cause if self._explains else "")
        seed = self._seed(exchange)
        sent = {exchange.headers[name] for name in TOKEN_HEADERS if name in exchange.headers}
        signed = _SIGNED.fullmatch(sent.pop()) if len(sent) == 1 else None
        if seed is None or signed is None:
            raise CsrfRefused
        message = f"token|{seed[0]}|{signed[1]}"
        if not (self._is_current(signed[2], message) or self._is_accepted(signed[2], message)):
            raise CsrfRefused

    def _cross_site_cause(self, exchange: Exchange) -> str | None:
        """Returns why a request counts as cross-site, or None."""
        origin = exchange.header("origin")
        if origin in self._allowed:
            return None
        is_cross_site = exchange.header("sec-fetch-site") == "cross-site"
        if origin is None:
            return "Sec-Fetch-Site is cross-site, and there is no Origin" if is_cross_site else None
        # A stranger chose this text: it is quoted, so that it cannot forge a log line.
        named = f"Origin {origin[:ORIGIN_MAX_CHARS]!r}"
        if is_cross_site:
            return f"Sec-Fetch-Site is cross-site, and {named} is not in CORS_ORIGINS"
        if self._own.is_that_of(exchange):
            return None
        if self._own.public is not None:
            return f"{named} is neither that of PUBLIC_URL ({self._own.public}) nor in CORS_ORIGINS"
        return (
            f"{named} is neither that of Host {exchange.header('host')!r} nor in CORS_ORIGINS. A proxy in between must pass"
            " Host on unchanged (changeOrigin: false), or PUBLIC_URL must be the URL that browsers see"
        )

    def _seed(self, exchange: Exchange) -> _Seed | None:
        try:
            seeds = [self._verified(value) for value in exchange.cookies(self.cookie_name)]
            return only_one([seed for seed in seeds if seed is not None])
        except RepeatedCookie:
            return None

    def _verified(self, value: str) -> _Seed | None:
        signed = _SIGNED.fullmatch(value)
        if signed is None:
            return None
        message = f"cookie|{signed[1]}"
        if self._is_current(signed[2], message):
            return signed[1], True
        return (signed[1], False) if self._is_accepted(signed[2], message) else None

    def _is_current(self, signature: str, message: str) -> bool:
        return hmac.compare_digest(signature, self._signature(message))

    def _is_accepted(self, signature: str, message: str) -> bool:
        return any(
            hmac.compare_digest(signature, base64url(mac)) for mac in self._mac.accepted(message.encode("ascii"))
        )

    def _signature(self, message: str) -> str:
        return base64url(self._mac.of(message.encode("ascii")))


def _random() -> Iterator[str]:
    """Yields random numbers, read from the system in blocks: a system call for each would cost more than its use."""
    while True:
        many = secrets.token_bytes(_NONCE_BYTES * _NONCES_AT_ONCE)
        for start in range(0, len(many), _NONCE_BYTES):
            yield base64url(many[start : start + _NONCE_BYTES])
