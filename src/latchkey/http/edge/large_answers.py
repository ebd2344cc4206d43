"""Sends large answers in pieces, a limited number at a time, each within a deadline, so slow readers cost little.

The server buffers a whole answer until the client has read it, and does not report when. It takes pieces only when it
has room, so only an answer in pieces waits for the client.
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
    """The large answers in progress: at most AT_A_TIME, of them OF_ONE_CLIENT for one client address, each within
    `seconds`."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._under_way: Counter[str] = Counter()

    def require_room(self, exchange: Exchange) -> None:
        """Raises ServiceUnavailable if one more answer is too many."""
        of_client = self._under_way[network_of(exchange.client_ip)]
        if of_client >= OF_ONE_CLIENT or self._under_way.total() >= AT_A_TIME:
            raise ServiceUnavailable

    async def send(self, response: Response, exchange: Exchange, send: Send) -> None:
        """Sends an answer with its Content-Length.

        If the deadline passes, it stays incomplete, which the client detects.
        """
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
