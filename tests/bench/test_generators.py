"""The load generators of `make bench`: what they say of a server whose behaviour is known."""

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from bench.load import closed_loop
from bench.openloop import open_loop
from bench.operations import Operation, Script
from bench.servers import Target

STALL_SECONDS = 0.4
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Server(socketserver.ThreadingTCPServer):
    """Answers at once, but for one stall, at request `stall_at`, in which nobody is answered."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, stall_at: int | None = None, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stall_at, self.status = stall_at, status
        self.answered = 0
        self.turn = threading.Lock()

    @property
    def target(self) -> Target:
        """As the generators know it."""
        return Target("known", f"http://127.0.0.1:{self.server_address[1]}", None)


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    server: Server

    def handle(self) -> None:
        """Answers request after request, in pieces, as a network may cut them."""
        while self.request.recv(4096):
            with self.server.turn:
                self.server.answered += 1
                if self.server.answered == self.server.stall_at:
                    time.sleep(STALL_SECONDS)
            self.request.sendall(b"HTTP/1.1 %d Whatever\r\nContent-Le" % self.server.status)
            self.request.sendall(b"ngth: 2\r\n\r\n{")
            self.request.sendall(b"}")


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server, with the arguments that the test gives it."""
    with Server(**getattr(request, "param", {})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def operation(*, expected: int = 200) -> Operation:
    """One whose requests are all the same; `brief` would have wrk send them."""
    return Operation("known", "GET /", expected, lambda *_: Script([REQUEST]), brief=False)


@pytest.mark.parametrize("serving", [{"stall_at": 20}], indirect=True)
def test_the_open_loop_charges_a_stall_to_all_that_were_due_in_it(serving: Server) -> None:
    """With two connections a closed loop would see two slow answers of 200; 80 were due while the server stood still."""
    latency = open_loop(operation(), serving.target, Script([REQUEST]), connections=2, rate=200, seconds=1)
    assert latency.answers == 200
    assert not latency.bad
    assert latency.p99_ms > STALL_SECONDS * 1e3 * 0.8
    assert latency.p50_ms < latency.p99_ms


@pytest.mark.parametrize("serving", [{"status": 500}], indirect=True)
def test_wrong_answers_are_counted(serving: Server) -> None:
    load = closed_loop(operation(), serving.target, Script([REQUEST]), connections=2, seconds=0.2)
    assert load.answers == serving.answered == load.bad["500"] > 0
    latency = open_loop(operation(), serving.target, Script([REQUEST]), connections=2, rate=50, seconds=0.2)
    assert latency.bad == {"500": 10}


def test_the_closed_loop_counts_what_the_server_answered(serving: Server) -> None:
    load = closed_loop(operation(), serving.target, Script([REQUEST]), connections=4, seconds=0.3)
    assert load.answers == serving.answered > 0
    assert load.seconds >= 0.3
    assert not load.bad


def test_an_answer_that_is_expected_to_refuse_is_right(serving: Server) -> None:
    serving.status = 401
    load = closed_loop(operation(expected=401), serving.target, Script([REQUEST]), connections=2, seconds=0.1)
    assert load.answers > 0
    assert not load.bad
