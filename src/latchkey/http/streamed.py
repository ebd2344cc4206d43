"""An answer that is made while it is sent, so that it may be larger than memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_SECONDS = 30.0
log = structlog.get_logger(__name__)


class _BrokenOff(Exception):
    """The client has gone, or the process is about to stop."""


class StreamedResponse(Response):
    """Sends pieces in chunked encoding, and keeps no more than one.

    If one cannot be made, if the client does not read it within `PIECE_SECONDS`, or if `stopping` is set, the
    connection breaks, so that no part passes for the whole.
    """

    def __init__(
        self, pieces: AsyncIterator[bytes], headers: Iterable[tuple[bytes, bytes]], *, stopping: asyncio.Event
    ) -> None:
        super().__init__()
        self._pieces = pieces
        self._stopping = stopping
        # Without a length: it is not known.
        self.raw_headers = list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await self._send_pieces(gone, send)
        except Exception as error:  # noqa: BLE001 whatever it is, the client must learn that the answer is not whole
            log.warning("an answer was broken off", cause=type(error).__name__)
            # Without the last piece, so the server breaks the connection.
            return
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_pieces(self, gone: asyncio.Task[None], send: Send) -> None:
        async for piece in self._pieces:
            if gone.done() or self._stopping.is_set():
                raise _BrokenOff
            async with asyncio.timeout(PIECE_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
