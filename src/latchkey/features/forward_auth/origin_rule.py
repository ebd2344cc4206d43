"""The origin rule: a page elsewhere must not change anything in an app by the cookie of the app's user.

It is the rule of the edge for Latchkey's own changes, but the app's own origin counts, too, and no CSRF token is asked.
"""

from dataclasses import dataclass

import structlog

from latchkey.features.forward_auth.errors import OriginRefused
from latchkey.features.forward_auth.forwarded import app_origin, is_safe
from latchkey.http.edge.csrf import ORIGIN_MAX_CHARS
from latchkey.http.edge.own_origin import OwnOrigin, is_same_origin
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import RequestKind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OriginRule:
    """Tells origins whose pages may act for a user. `allowed` are those of CORS_ORIGINS."""

    own: OwnOrigin
    allowed: frozenset[str]

    def check(self, exchange: Exchange) -> None:
        """Raises OriginRefused for an unsafe request by cookies that no page of an own or allowed origin has sent."""
        if exchange.kind is not RequestKind.COOKIE or is_safe(exchange):
            return
        origin = exchange.header("origin")
        if origin is None:
            is_own = exchange.header("sec-fetch-site") == "same-origin"
        else:
            is_own = self.counts(origin, exchange) or is_same_origin(origin, app_origin(exchange))
        if not is_own:
            # A stranger chose this text: it is quoted, so that it cannot forge a log line.
            named = "it has none" if origin is None else repr(origin[:ORIGIN_MAX_CHARS])
            log.warning(
                "a request to an app was refused: its Origin is not the app's, nor Latchkey's, nor in CORS_ORIGINS",
                origin=named,
                app=app_origin(exchange)
                or "unknown: its proxy is not in TRUSTED_PROXIES, or sends no X-Forwarded-Host",
                request_id=exchange.request_id,
            )
            raise OriginRefused

    def counts(self, origin: str, exchange: Exchange) -> bool:
        """Tells whether an origin is Latchkey's own or in CORS_ORIGINS."""
        return origin in self.allowed or self.own.is_own(origin, exchange.header("host"))
