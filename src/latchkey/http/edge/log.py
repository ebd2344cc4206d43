"""Request lines: method, path, status, milliseconds; never a query value, a header or a body."""

import re

import structlog

from latchkey.clock import stopwatch
from latchkey.http.exchange import Exchange

PATH_MAX = 256
# A query or a fragment that somebody encoded into the path: what follows may be the token of a mail's link.
_ENCODED_REST = re.compile(rb"(#|%(?:25)*(?:23|3f)).*", re.IGNORECASE | re.DOTALL)
log = structlog.get_logger("latchkey.request")


def log_request(exchange: Exchange, status: int, started: float) -> None:
    """Writes one line for one answered request. The path is written as it was sent, percent-encoded, so that no control
    character in it can forge a line, up to an encoded `?` or `#`; `started` is of `clock.stopwatch`."""
    log.info(
        "request",
        method=exchange.method,
        path=_shown(exchange.raw_path[:PATH_MAX]).decode("ascii", "backslashreplace"),
        status=status,
        ms=round((stopwatch() - started) * 1000, 1),
        ip=exchange.client_ip,
        request_id=exchange.request_id,
    )


def _shown(path: bytes) -> bytes:
    return _ENCODED_REST.sub(rb"\1", path) if b"%" in path or b"#" in path else path
