"""Raw TCP: requests byte by byte, as no HTTP library would send them."""

import json
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.kit.server import Server

PATIENCE_SECONDS = 8.0
HOST = b"Host: localhost\r\n"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """One answer as it came; header names in lower case, of repeated ones the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def refused(self) -> tuple[int, str]:
        """Status and code of a refusal that the application itself has made: envelope and headers are there."""
        assert self.headers["content-type"] == "application/json; charset=utf-8", self
        assert self.headers["server"] == "latchkey", self
        assert "x-request-id" in self.headers, self
        assert "content-security-policy" in self.headers, self
        assert self.json()["success"] is False, self
        return self.status, self.json()["code"]


class RawConnection:
    """One TCP connection to a server. Reading waits at most some seconds, so that no test hangs."""

    def __init__(self, server: Server, *, patience: float = PATIENCE_SECONDS) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=patience)
        self._incoming = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._incoming.close()
        self._socket.close()

    def send(self, data: bytes) -> bool:
        """Sends all of it; False when the server hung up in between."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def send_end(self) -> None:
        """Says that nothing more comes; answers can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def response(self) -> RawResponse | None:
        """The next answer; None when the server closes without one."""
        try:
            status_line = self._incoming.readline()
            if not status_line:
                return None
            headers: dict[str, str] = {}
            while line := self._incoming.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = self._incoming.read(int(headers.get("content-length", "0")))
        except ConnectionResetError:
            return None
        return RawResponse(int(status_line.split(b" ", 2)[1]), headers, body)

    def answer(self, data: bytes) -> RawResponse:
        """Sends a request and reads its answer, which must come."""
        self.send(data)
        response = self.response()
        assert response is not None, f"closed without an answer to {data[:200]!r}"
        return response

    def ended(self) -> bool:
        """Whether the server has closed, or does so in time, and sends nothing more before."""
        try:
            return self._incoming.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """A well-formed request with these header lines besides Host."""
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in headers)
    return head.encode("latin-1") + HOST + b"\r\n" + body
