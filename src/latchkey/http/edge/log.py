"""Request lines: method, path, status, milliseconds; never a query value, a header or a body (contract, section 8)."""

import structlog

from latchkey.clock import stopwatch
from latchkey.http.exchange import Exchange

PATH_MAX = 256
log = structlog.get_logger("latchkey.request")


def log_request(exchange: Exchange, status: int, started: float) -> None:
    """One line for one answered request. The path is written as it was sent, percent-encoded, so that no control
    character in it can forge a line; `started` is of `clock.stopwatch`."""
    log.info(
        "request",
        method=exchange.method,
        path=exchange.raw_path[:PATH_MAX].decode("ascii", "backslashreplace"),
        status=status,
        ms=round((stopwatch() - started) * 1000, 1),
        ip=exchange.client_ip,
        request_id=exchange.request_id,
    )
