"""A TCP proxy between an instance and PostgreSQL, which can pause and can lose notifications."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from urllib.parse import parse_qs, urlencode, urlsplit

CHUNK = 65_536


class Loses(Enum):
    """The NotificationResponse messages that the proxy drops."""

    NONE = "none"
    ALL = "all"
    WHILE_IDLE = "while idle"
    """Those that arrive while no query runs: a pooler in transaction mode has lent the connection to another client.

    A connection's own notifications come with the answer and pass.
    """


class Proxy:
    """Forwards every connection to the PostgreSQL of `dsn` (on a Unix socket). `self.dsn` leads through it."""

    def __init__(self, dsn: str, loses: Loses, port: int) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        self._target = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
        self._loses = loses
        self._moving = threading.Event()
        self._moving.set()
        self._feeds_moving = threading.Event()
        self._feeds_moving.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        port = self._listener.getsockname()[1]
        user = parts.netloc.rpartition("@")[0]
        # Without TLS, so that the proxy can read the messages.
        through = parts._replace(netloc=f"{user}@127.0.0.1:{port}", query=urlencode({"sslmode": "disable"}))
        self.dsn = through.geturl()
        self._accepting = self._start(self._accept)

    @contextmanager
    def feeds_paused(self) -> Iterator[None]:
        """Pauses connections that LISTEN or ask to. All others continue."""
        self._feeds_moving.clear()
        try:
            yield
        finally:
            self._feeds_moving.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pauses all connections in both directions. They stay open, and new ones are accepted."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def pause(self) -> None:
        """Pauses forwarding."""
        self._moving.clear()

    def resume(self) -> None:
        """Resumes forwarding, beginning with what arrived during the pause."""
        self._moving.set()

    def close(self) -> None:
        """Closes all connections."""
        self._moving.set()
        self._feeds_moving.set()
        self._shut(self._listener)
        # A connection that was accepted at this moment is in the list only then.
        self._accepting.join()
        for each in self._sockets:
            self._shut(each)

    @staticmethod
    def _shut(each: socket.socket) -> None:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            self._sockets += [client, server]
            try:
                server.connect(self._target)
            except OSError:
                client.close()
                continue
            line = _Line(client, server, self._moving, self._feeds_moving, self._loses)
            self._start(line.requests)
            self._start(line.answers)

    @staticmethod
    def _start(work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


class _Line:
    """A connection. A message of PostgreSQL is a type byte and a length of four bytes that counts itself."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        moving: threading.Event,
        feeds_moving: threading.Event,
        loses: Loses,
    ) -> None:
        self._client = client
        self._server = server
        self._moving = moving
        self._feeds_moving = feeds_moving
        self._is_feed = False
        self._loses = loses
        self._busy = True

    def requests(self) -> None:
        """Forwards the client's data."""
        with suppress(OSError):
            while data := self._client.recv(CHUNK):
                self._is_feed = self._is_feed or b"LISTEN" in data
                self._wait()
                self._busy = True
                self._server.sendall(data)
        self._hang_up()

    def answers(self) -> None:
        """Forwards PostgreSQL's data, without the notifications to drop."""
        waiting = b""
        with suppress(OSError):
            while data := self._server.recv(CHUNK):
                self._wait()
                waiting += data
                passed = b""
                while len(waiting) >= 5 and len(waiting) >= (size := 1 + int.from_bytes(waiting[1:5])):
                    message, waiting = waiting[:size], waiting[size:]
                    if not self._is_lost(message):
                        passed += message
                    if message[:1] == b"Z":  # ReadyForQuery
                        self._busy = False
                self._client.sendall(passed)
        self._hang_up()

    def _wait(self) -> None:
        self._moving.wait()
        if self._is_feed:
            self._feeds_moving.wait()

    def _is_lost(self, message: bytes) -> bool:
        if message[:1] != b"A" or self._loses is Loses.NONE:
            return False
        return self._loses is Loses.ALL or not self._busy

    def _hang_up(self) -> None:
        for each in (self._client, self._server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(dsn: str, loses: Loses = Loses.NONE, port: int = 0) -> Iterator[Proxy]:
    """Starts one in front of that PostgreSQL, on that port or any. Closes it at the end."""
    between = Proxy(dsn, loses, port)
    try:
        yield between
    finally:
        between.close()
