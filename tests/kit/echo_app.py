"""An app behind a proxy: it answers with the request that reached it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

from tests.kit.joined_http_server import JoinedHttpServer


@dataclass
class EchoApp:
    """The running app: its port, and the number of requests that reached it."""

    port: int = 0
    requests: list[str] = field(default_factory=list)


@contextmanager
def echo_app() -> Iterator[EchoApp]:
    """Starts one. It answers every request with `{"method", "path", "headers", "body"}`.

    `headers` is a list of pairs, with lower-case names; `body` is the number of its bytes.
    """
    app = EchoApp()

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            app.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            seen = {
                "method": self.command,
                "path": self.path,
                "headers": [(name.lower(), value) for name, value in self.headers.items()],
                "body": len(body),
            }
            content = json.dumps(seen).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 its name in the base class
            """Says nothing."""

    with JoinedHttpServer(("127.0.0.1", 0), Echo) as served:
        app.port = served.server_port
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield app
        finally:
            served.shutdown()
            thread.join()
