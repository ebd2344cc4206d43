"""Large answers: sent in pieces, a bounded number at a time, each within a deadline, so that slow readers cost little.

The server buffers whatever it is given until the client has read it, and does not say when that is. Only an answer in
pieces waits for the client: the server takes the next piece when it has room for it.
"""

import asyncio
from collections import Counter

import structlog
from starlette.responses import Response
from starlette.types import Send

from latchkey.http.edge.client import network_of
from latchkey.http.exchange import Exchange
from latchkey.refusal import ServiceUnavailable

LARGE_BYTES = 16 * 1024
PIECE_BYTES = 16 * 1024
AT_A_TIME = 64
OF_ONE_CLIENT = 16
SECONDS = 30.0

log = structlog.get_logger(__name__)


class LargeAnswers:
    """The large answers under way: at most AT_A_TIME, and OF_ONE_CLIENT of them to one client address. Each has so
    many `seconds`."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._under_way: Counter[str] = Counter()

    def require_room(self, exchange: Exchange) -> None:
        """Raises ServiceUnavailable when one more would be too many."""
        of_client = self._under_way[network_of(exchange.client_ip)]
        if of_client >= OF_ONE_CLIENT or self._under_way.total() >= AT_A_TIME:
            raise ServiceUnavailable

    async def send(self, response: Response, exchange: Exchange, send: Send) -> None:
        """Sends an answer with its Content-Length. One that is not read in time stays incomplete, by which the client
        knows."""
        client = network_of(exchange.client_ip)
        self._under_way[client] += 1
        try:
            async with asyncio.timeout(self._seconds):
                await _send_in_pieces(response, send)
        except TimeoutError:
            log.warning("a client did not read its answer in time", ip=client, request_id=exchange.request_id)
        finally:
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]


async def _send_in_pieces(response: Response, send: Send) -> None:
    body = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    for start in range(0, len(body), PIECE_BYTES):
        end = start + PIECE_BYTES
        await send({"type": "http.response.body", "body": body[start:end], "more_body": end < len(body)})
