"""Headers of every answer: security headers and the request id."""

from starlette.responses import Response

from latchkey.http.exchange import Exchange, answer_header

# helmet 8's defaults, which clients and scanners of node-api-postgres know.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';"
        "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';"
        "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Download-Options": "noopen",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Permitted-Cross-Domain-Policies": "none",
    "X-XSS-Protection": "0",
    # Replaces Granian's own name.
    "Server": "latchkey",
}
_ALL = [answer_header(name, value) for name, value in SECURITY_HEADERS.items()]
_NAMES = frozenset(name for name, _ in _ALL)


def finish(response: Response, exchange: Exchange) -> None:
    """Adds the headers of every answer. A page or asset keeps its own policy."""
    headers = response.raw_headers
    own = _NAMES.intersection([name for name, _ in headers])
    headers += [header for header in _ALL if header[0] not in own] if own else _ALL
    headers += exchange.answer_headers
    headers.append((b"x-request-id", exchange.request_id.encode()))
