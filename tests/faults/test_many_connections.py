"""Clients that connect and then do nothing, or ask and do not read: they get no further than their own connection."""

import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from latchkey.cli.connections import SEND_BUFFER_BYTES, UNREAD_SECONDS
from tests.kit.server import Server
from tests.kit.waiting import eventually

# More than the server takes unless it is told to.
SILENT = 1_200
ASK_FOR_MUCH = b"GET /api-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process may open as many files as the test needs connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < SILENT + 512:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, SILENT + 512) if soft >= 0 else soft, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_silent_connections_keep_nobody_out(start: Callable[..., Server]) -> None:
    server = start()
    with ExitStack() as opened:
        for _ in range(SILENT):
            opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
        assert httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200


def test_a_client_that_does_not_read_is_disconnected(start: Callable[..., Server]) -> None:
    """It has answers coming and takes nothing: the kernel buffers little for it, and ends the connection in time."""
    server = start()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(ASK_FOR_MUCH * 4)
        port = client.getsockname()[1]
        eventually(lambda: (unsent(server, port) or 0) > 0, "an answer is under way")
        assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
        assert (unsent(server, port) or 0) <= 4 * SEND_BUFFER_BYTES
        assert port in connected(server)
        eventually(lambda: port not in connected(server), "it is disconnected", within=3 * UNREAD_SECONDS)


def connected(server: Server) -> set[int]:
    """The ports of the clients that the server's process holds a connection to."""
    (worker,) = psutil.Process(server.process.pid).children()
    opened = [each for each in worker.net_connections("tcp") if each.status != psutil.CONN_LISTEN]
    return {port for each in opened for port in each.raddr[1:2]}


def unsent(server: Server, port: int) -> int | None:
    """The bytes that the kernel keeps for the client on that port; None when there is no such connection."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        ours, theirs, _, queues = line.split()[1:5]
        if int(ours.rpartition(":")[2], 16) == server.port and int(theirs.rpartition(":")[2], 16) == port:
            return int(queues.partition(":")[0], 16)
    return None
