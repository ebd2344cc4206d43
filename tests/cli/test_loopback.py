"""Both addresses of localhost: `latchkey dev` answers on 127.0.0.1 and on ::1."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from latchkey.cli.loopback import Localhost, both_loopbacks
from tests.kit.ipv6 import needs_ipv6
from tests.kit.ports import free_port

MUCH = bytes(range(256)) * 8_000


class Echo(socketserver.StreamRequestHandler):
    """Answers each line with its length and itself, `bye` with the end, and the end with `eof`."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line == b"bye\n":
                return
            self.wfile.write(b"%d:" % len(line) + line)
        self.wfile.write(b"eof")


class Server(socketserver.ThreadingTCPServer):
    """On 127.0.0.1."""

    daemon_threads = True
    allow_reuse_address = True


class Server6(Server):
    """On ::1."""

    address_family = socket.AF_INET6


pytestmark = needs_ipv6


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server on one address of localhost."""
    kind = Server6 if request.param == "::1" else Server
    with kind((request.param, 0), Echo) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=20)


def test_connections_to_the_other_address_reach_the_server(server: Any) -> None:
    address, port = server.server_address[:2]
    other = {"127.0.0.1": "::1", "::1": "127.0.0.1"}[address]
    with both_loopbacks(address, port) as here:
        assert here == Localhost("localhost")
        clients = [connect(other, port) for _ in range(20)]
        for number, client in enumerate(clients):
            client.sendall(b"%d\n" % number)
        for number, client in enumerate(clients):
            line = b"%d\n" % number
            assert client.recv(100) == b"%d:" % len(line) + line
        ended, half, *rest = clients
        ended.sendall(b"bye\n")
        assert ended.recv(100) == b""
        half.shutdown(socket.SHUT_WR)
        assert half.makefile("rb").read() == b"eof"
        sender = threading.Thread(target=rest[0].sendall, args=(MUCH.replace(b"\n", b" ") + b"\n",))
        sender.start()
        answer = rest[0].makefile("rb").readline()
        sender.join()
        assert answer == b"%d:" % (len(MUCH) + 1) + MUCH.replace(b"\n", b" ") + b"\n"
        rest[1].close()
        # Others are still open when it stops listening.
    with pytest.raises(ConnectionRefusedError):
        connect(other, port)
    for client in clients:
        client.close()


def test_a_server_that_is_not_there_ends_the_connection() -> None:
    port = free_port()
    with both_loopbacks("127.0.0.1", port), connect("::1", port) as client:
        assert client.recv(1) == b""


@pytest.mark.parametrize(
    ("address", "taken", "host"), [("127.0.0.1", "::1", "127.0.0.1"), ("::1", "127.0.0.1", "[::1]")]
)
def test_an_address_that_another_program_has(address: str, taken: str, host: str) -> None:
    family = socket.AF_INET6 if taken == "::1" else socket.AF_INET
    with socket.create_server((taken, 0), family=family) as other:
        port = other.getsockname()[1]
        with both_loopbacks(address, port) as here:
            assert here == Localhost(host, taken=taken)


@pytest.mark.parametrize(
    ("address", "host"), [("::", "localhost"), ("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "[2001:db8::1]")]
)
def test_an_address_that_is_no_loopback_is_left_alone(address: str, host: str) -> None:
    port = free_port()
    with both_loopbacks(address, port) as here:
        assert here == Localhost(host)
        for loopback in ("127.0.0.1", "::1"):
            with pytest.raises(ConnectionRefusedError):
                connect(loopback, port)
