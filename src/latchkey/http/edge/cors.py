"""CORS: an exact allow-list, with cookies for pages and without them for native apps."""

from starlette.responses import Response

from latchkey.http.edge.own_origin import OwnOrigin
from latchkey.http.edge.unlisted_origins import UnlistedOrigins
from latchkey.http.exchange import Exchange, answer_header

EXPOSED = "RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
PREFLIGHT_MAX_AGE_SECONDS = "600"


class Cors:
    """Lets the pages of allowed origins read answers. Any other origin gets no CORS header.

    `native` are the origins of apps in a web view: their requests have no cookies.
    """

    def __init__(self, allowed: frozenset[str], native: frozenset[str], own: OwnOrigin) -> None:
        self._with_cookies = allowed
        self._allowed = allowed | native
        self._own = own
        self._unlisted = UnlistedOrigins()

    def preflight(self, exchange: Exchange, *, any_origin: bool = False, for_proxies: bool = False) -> Response | None:
        """Adds the CORS headers. Returns the answer to a preflight, which goes no further.

        `any_origin`: what is asked for is public, so the pages of every origin may read it, without cookies.
        `for_proxies`: Origin is that of a request to an app behind a proxy. The 204 of a preflight would let it pass.
        """
        exchange.answer_headers.append((b"vary", b"Origin"))
        if any_origin:
            exchange.answer_headers.append(answer_header("Access-Control-Allow-Origin", "*"))
            return None
        origin = exchange.header("origin")
        if origin is None:
            return None
        allowed = origin in self._allowed
        if allowed:
            exchange.answer_headers.append(answer_header("Access-Control-Allow-Origin", origin))
            if origin in self._with_cookies:
                exchange.answer_headers.append(answer_header("Access-Control-Allow-Credentials", "true"))
            exchange.answer_headers.append(answer_header("Access-Control-Expose-Headers", EXPOSED))
        elif not for_proxies and not self._own.is_that_of(exchange):
            self._unlisted.note(origin)
        if for_proxies or exchange.method != "OPTIONS" or "access-control-request-method" not in exchange.headers:
            return None
        answer = Response(status_code=204)
        if allowed:
            answer.headers["Access-Control-Allow-Methods"] = METHODS
            answer.headers["Access-Control-Max-Age"] = PREFLIGHT_MAX_AGE_SECONDS
            if requested := exchange.header("access-control-request-headers"):
                answer.headers["Access-Control-Allow-Headers"] = requested
        return answer
