"""HTTP/1.1 as a load generator needs it: one request at a time on a connection that stays open, whole answers back."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, head (status line and headers) and body as they came."""

    status: int
    head: bytes
    body: bytes

    def cookie(self, name: str) -> str | None:
        """The value that the answer gives to a cookie."""
        found = re.search(rb"\r\nset-cookie: *" + name.encode() + rb"=([^;\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else None


class Connection(asyncio.Protocol):
    """One connection to `url`. It connects when it is asked first, and again after the server has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._received = b""

    async def ask(self, request: bytes) -> Answer:
        """Sends a whole request and returns its answer. Raises OSError when the connection is lost meanwhile."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            self._transport, _ = await loop.create_connection(lambda: self, *self._address)
        self._answer = loop.create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hangs up."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def data_received(self, data: bytes) -> None:
        """Completes the answer when all of it is there."""
        self._received += data
        answer = _parsed(self._received)
        if answer is None:
            return
        self._received = b""
        if _CLOSING.search(answer.head):
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fails the request that waits."""
        self._transport, self._received = None, b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))


def _parsed(received: bytes) -> Answer | None:
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, body = received[: end + 2], received[end + 4 :]
    if length := _LENGTH.search(head):
        complete = len(body) >= int(length[1])
    elif _CHUNKED.search(head):
        complete = body.endswith(b"0\r\n\r\n")
    else:
        complete = True
    return Answer(int(head[9:12]), head, body) if complete else None
