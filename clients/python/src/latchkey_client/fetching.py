"""GET over HTTP/1.1 by the standard library: bounded in time and size, without redirects and proxies."""

import ipaddress
import socket
import ssl
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Timer
from urllib.parse import SplitResult, urlsplit


class FetchFailed(Exception):
    """No usable answer came. `status` is that of an answer other than 200, else None."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def require_url(url: str, *, allow_http: bool) -> str:
    """Returns the URL. Raises ValueError unless it is https, or http to this machine, or http is allowed."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username is not None or parts.port == 0:
        raise ValueError(f"{url!r} is not an absolute https URL")
    if parts.scheme == "http" and not allow_http and not _is_loopback(parts.hostname):
        raise ValueError(f"{url!r} is not https. For an inner address, set jwks_url and allow_http=True")
    return url


def fetch(url: str, *, headers: dict[str, str] | None = None, seconds: float, max_bytes: int) -> bytes:
    """Returns the body of a 200 answer. Raises FetchFailed.

    Takes at most `seconds` to connect, and then at most `seconds` for all the rest.
    """
    parts = urlsplit(url)
    try:
        with _connect(parts, seconds) as connection:
            # A timeout of the socket bounds each wait. Only this bounds a peer that sends a byte now and then.
            deadline = Timer(seconds, _shut, (connection,))
            deadline.daemon = True
            deadline.start()
            try:
                return _exchange(connection, parts, headers or {}, max_bytes)
            finally:
                deadline.cancel()
                _shut(connection)
    except (OSError, HTTPException, ValueError) as error:
        raise FetchFailed(f"{type(error).__name__}: {error}") from error


def _connect(parts: SplitResult, seconds: float) -> socket.socket:
    assert parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    plain = socket.create_connection((parts.hostname, port), seconds)
    if parts.scheme == "http":
        return plain
    # The handshake comes later, under the deadline.
    return ssl.create_default_context().wrap_socket(
        plain, server_hostname=parts.hostname, do_handshake_on_connect=False
    )


def _exchange(connection: socket.socket, parts: SplitResult, headers: dict[str, str], max_bytes: int) -> bytes:
    if isinstance(connection, ssl.SSLSocket):
        connection.do_handshake()
    http = HTTPConnection(parts.netloc)
    http.sock = connection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    http.request("GET", path, headers={"Accept": "application/json", "Connection": "close"} | headers)
    with http.getresponse() as answer:
        if answer.status != 200:
            raise FetchFailed(f"the answer is {answer.status}", answer.status)
        body = answer.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise FetchFailed(f"the answer has more than {max_bytes} bytes")
    return body


def _shut(connection: socket.socket) -> None:
    # Wakes a thread that reads. Not SSLSocket's own method, which drops state that this thread may be using.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
