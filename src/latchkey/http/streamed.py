"""An answer that is made while it is sent, so that it may be larger than memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_SECONDS = 30.0
log = structlog.get_logger(__name__)


class BrokenOff(Exception):
    """The answer cannot go on. The text says why. What makes the pieces may raise it."""


class StreamedResponse(Response):
    """Sends pieces in chunked encoding, and keeps no more than one.

    If one cannot be made, if the client does not read it within `PIECE_SECONDS`, or when `stopping` is set, the
    connection breaks, so that no part passes for the whole.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        headers: Iterable[tuple[bytes, bytes]],
        *,
        stopping: asyncio.Event,
        request_id: str,
    ) -> None:
        super().__init__()
        self._pieces = pieces
        self._stopping = stopping
        self._request_id = request_id
        # Without a length: it is not known.
        self.raw_headers = list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        ends = {asyncio.create_task(_disconnected(receive)), asyncio.create_task(self._stops())}
        try:
            async for piece in self._pieces:
                await _send_before(ends, send, piece)
        # Returned from without the last piece, so that the server breaks the connection.
        except BrokenOff as error:
            log.warning("an answer was broken off", cause=str(error), request_id=self._request_id)
            return
        # A bug; the client must learn that the answer is not whole all the same.
        except Exception as error:
            log.error("an answer was broken off", request_id=self._request_id, exc_info=error)
            return
        finally:
            for end in ends:
                end.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _stops(self) -> str:
        await self._stopping.wait()
        return "the service stops"


async def _send_before(ends: set[asyncio.Task[str]], send: Send, piece: bytes) -> None:
    """Sends a piece. Raises BrokenOff if one of the ends comes first, or the client does not read."""
    sending = asyncio.ensure_future(send({"type": "http.response.body", "body": piece, "more_body": True}))
    done, _ = await asyncio.wait({sending, *ends}, timeout=PIECE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    ended = [end.result() for end in ends if end in done]
    if ended or sending not in done:
        sending.cancel()
        raise BrokenOff(ended[0] if ended else "the client does not read")
    await sending


async def _disconnected(receive: Receive) -> str:
    while (await receive())["type"] != "http.disconnect":
        pass
    return "the client has gone"
