"""Large answers to clients that read slowly: so many at a time, each within a deadline, and everybody else goes on."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Message

from latchkey.http.edge.large_answers import AT_A_TIME, OF_ONE_CLIENT, PIECE_BYTES, LargeAnswers
from latchkey.http.exchange import Exchange
from latchkey.refusal import ServiceUnavailable
from tests.kit.server import Server
from tests.kit.waiting import eventually

LARGE = "/api-docs/swagger-ui-bundle.js"
CLIENTS = [f"127.0.0.{number}" for number in range(1, AT_A_TIME // OF_ONE_CLIENT + 1)]
STRANGER = "127.0.1.1"

Opener = Callable[[str], tuple[int, socket.socket]]


@pytest.fixture
def ask_slowly(server: Server) -> Iterator[Opener]:
    """Asks for a large answer from an address of this machine, and reads its status and no more."""
    with ExitStack() as opened:

        def ask(address: str) -> tuple[int, socket.socket]:
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.bind((address, 0))
            client.connect(("127.0.0.1", server.port))
            client.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % LARGE.encode())
            return int(client.recv(12).split(b" ")[1]), client

        yield ask


def test_there_is_room_for_so_many(server: Server, ask_slowly: Opener) -> None:
    """One client cannot take all places, many together cannot take more than there are, and small answers need none."""
    places = {client: [ask_slowly(client) for _ in range(OF_ONE_CLIENT)] for client in CLIENTS[:-1]}
    assert {status for taken in places.values() for status, _ in taken} == {200}
    assert ask_slowly(CLIENTS[0])[0] == 503
    assert ask_slowly(STRANGER)[0] == 200
    last = [ask_slowly(CLIENTS[-1])[0] for _ in range(OF_ONE_CLIENT)]
    assert last == [200] * (OF_ONE_CLIENT - 1) + [503]

    refused = httpx.get(f"{server.url}{LARGE}", timeout=20)
    assert refused.status_code == 503
    assert refused.json()["code"] == "SERVICE_UNAVAILABLE"
    assert int(refused.headers["retry-after"]) > 0
    assert httpx.head(f"{server.url}{LARGE}", timeout=20).status_code == 200
    assert httpx.get(f"{server.url}/client.js", timeout=20).status_code == 200

    _, client = places[CLIENTS[0]][0]
    client.close()
    eventually(lambda: ask_slowly(CLIENTS[0])[0] == 200, "the place of a client that hung up is free")


def exchange() -> Exchange:
    """A request as the edge has it."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("192.0.2.1", 1)}

    async def receive() -> Message:
        return {"type": "http.request"}

    return Exchange(scope, receive, "request-id")


async def test_a_reader_that_takes_too_long_gives_its_place_back() -> None:
    large, never = LargeAnswers(seconds=0.05), asyncio.Event()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > 2:
            await never.wait()

    body = bytes(4 * PIECE_BYTES)
    async with asyncio.timeout(20):
        await asyncio.gather(*(large.send(Response(body), exchange(), send) for _ in range(OF_ONE_CLIENT)))
    large.require_room(exchange())
    assert sent[-1]["type"] != "http.response.body" or sent[-1]["more_body"]


async def test_it_is_sent_whole_in_pieces() -> None:
    large = LargeAnswers()
    body = bytes(range(256)) * 200 + b"end"
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await large.send(Response(body, headers={"X-Mine": "kept"}), exchange(), send)
    start, *pieces = sent
    assert start["status"] == 200
    assert (b"content-length", str(len(body)).encode()) in start["headers"]
    assert (b"x-mine", b"kept") in start["headers"]
    assert b"".join(piece["body"] for piece in pieces) == body
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]


async def test_no_room_for_one_more_of_a_client() -> None:
    large, read = LargeAnswers(), asyncio.Event()

    async def send(_: Message) -> None:
        await read.wait()

    under_way = [asyncio.create_task(large.send(Response(b"x"), exchange(), send)) for _ in range(OF_ONE_CLIENT)]
    await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailable):
        large.require_room(exchange())
    read.set()
    await asyncio.gather(*under_way)
    large.require_room(exchange())
