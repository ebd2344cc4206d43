"""Raw TCP: requests byte by byte, which no HTTP library would send."""

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
    """A raw answer. Header names are in lower case; of repeated headers it holds the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the parsed body."""
        return json.loads(self.body)

    @property
    def refused(self) -> tuple[int, str]:
        """Returns status and code of a refusal from the application: checks envelope and headers."""
        assert self.headers["content-type"] == "application/json; charset=utf-8", self
        assert self.headers["server"] == "latchkey", self
        assert "x-request-id" in self.headers, self
        assert "content-security-policy" in self.headers, self
        assert self.json()["success"] is False, self
        return self.status, self.json()["code"]


class RawConnection:
    """A TCP connection to a server. Reads time out after some seconds, so that no test hangs."""

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
        """Sends all data. False if the server closed the connection meanwhile."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def send_end(self) -> None:
        """Ends the sending side. Answers can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def response(self) -> RawResponse | None:
        """Returns the next answer; None if the server closes without one."""
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
        """Sends a request and returns its answer. Fails without one."""
        self.send(data)
        response = self.response()
        assert response is not None, f"closed without an answer to {data[:200]!r}"
        return response

    def ended(self) -> bool:
        """Tells whether the server closes in time without sending more."""
        try:
            return self._incoming.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """Returns a well-formed request with Host and these header lines."""
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in headers)
    return head.encode("latin-1") + HOST + b"\r\n" + body
