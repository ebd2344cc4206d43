"""An HTTP server in this process that leaves no thread and no socket behind."""

import socket
from http.server import ThreadingHTTPServer
from typing import Any

IDLE_SECONDS = 1.0


class JoinedHttpServer(ThreadingHTTPServer):
    """Waits at its end until every connection is closed. One on which nothing comes for a second is closed.

    With daemon threads, a connection that a browser has opened in advance would outlive the test, and its socket would
    be reported in another one.
    """

    daemon_threads = False

    def get_request(self) -> tuple[socket.socket, Any]:
        """Returns the next connection, which times out when it is idle."""
        connection, address = super().get_request()
        connection.settimeout(IDLE_SECONDS)
        return connection, address
