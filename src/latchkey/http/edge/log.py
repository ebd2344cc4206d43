"""Request lines: method, path, status and milliseconds. Never a query value, a header or a body."""

import re

import structlog

from latchkey.clock import stopwatch
from latchkey.http.exchange import Exchange

PATH_MAX = 256
# A path may hold an encoded query or fragment, with the token of a mailed link in it.
_ENCODED_REST = re.compile(rb"(#|%(?:25)*(?:23|3f)).*", re.IGNORECASE | re.DOTALL)
log = structlog.get_logger("latchkey.request")


def log_request(exchange: Exchange, status: int, started: float) -> None:
    """Logs one line for an answered request. `started` is a `clock.stopwatch` time.

    The path stays percent-encoded, so no control character can forge a line. It ends before an encoded `?` or `#`.
    """
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
