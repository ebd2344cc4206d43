"""A Latchkey as far as this package sees it: a JWKS and /revocations over real HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kit.signing import SigningKey, claims_of, new_key, sign

API_KEY = "lk_abcdefghijkl_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG012345"
Handler = BaseHTTPRequestHandler


@dataclass
class Issuer:
    """The server. `answer_jwks` replaces its answer to a request of the JWKS, and `is_down` answers 503 to all."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [new_key()])
    answer_jwks: Callable[[Handler], None] | None = None
    is_down: bool = False
    paths: list[str] = field(default_factory=list)
    page_size: int = 10_000
    _ended: list[str] = field(default_factory=list)
    _changed: Condition = field(default_factory=Condition)

    def token(self, key: SigningKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signs an access token with the first key, or another one."""
        return sign(key or self.keys[0], claims_of(self.url, **claims), **(header or {}))

    def end(self, session_id: str) -> None:
        """Ends a session."""
        with self._changed:
            self._ended.append(session_id)
            self._changed.notify_all()

    def count(self, path: str) -> int:
        """Counts the requests of a path."""
        return sum(urlsplit(each).path == path for each in self.paths)

    @property
    def jwks_requests(self) -> int:
        """How often the JWKS was asked for."""
        return self.count("/.well-known/jwks.json")

    def handle(self, request: Handler) -> None:
        """Answers a GET."""
        self.paths.append(request.path)
        path = urlsplit(request.path).path
        if self.is_down:
            send(request, 503, b"{}")
        elif path == "/revocations":
            self._answer_revocations(request)
        elif path != "/.well-known/jwks.json":
            send(request, 404, b"{}")
        elif self.answer_jwks:
            self.answer_jwks(request)
        else:
            send_json(request, {"keys": [key.public for key in self.keys]})

    def _answer_revocations(self, request: Handler) -> None:
        if request.headers.get("x-api-key") != API_KEY:
            send(request, 401, b"{}")
            return
        query = parse_qs(urlsplit(request.path).query)
        since = query.get("since", ["0"])[0]
        if not since.isdecimal():
            send(request, 400, b"{}")
            return
        with self._changed:
            self._changed.wait_for(lambda: len(self._ended) > int(since), float(query.get("wait", ["0"])[0]))
            page = self._ended[int(since) : int(since) + self.page_size]
            cursor = int(since) + len(page)
            more = cursor < len(self._ended)
        send_json(request, {"success": True, "data": {"sessions": page, "cursor": str(cursor), "more": more}})


def send_json(request: Handler, value: object) -> None:
    """Answers 200 with JSON."""
    send(request, 200, json.dumps(value).encode())


def send(request: Handler, status: int, body: bytes, **headers: str) -> None:
    """Answers."""
    request.send_response(status)
    for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | headers).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A thousand clients may ask at once.
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that went away: tests make them."""


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Runs an issuer on a port of its own."""
    issuer = Issuer()

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            issuer.handle(self)

        def log_message(self, *_: Any) -> None:
            """Prints nothing."""

    with _Server(("127.0.0.1", 0), Requests) as server:
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
