"""Clients that do a server no good: silent ones, and ones that ask for much and read little or nothing."""

import asyncio
import random
import resource
import socket
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

from bench.load import uvloop_runner

LARGE = "/api-docs/swagger-ui-bundle.js"
PIPELINED = 4
ADDRESSES = 100
GATHERING_SECONDS = 5.0
SETTLING_SECONDS = 3.0
READ_EVERY_SECONDS = 1.0
READ_BYTES = 4096
RECEIVE_BUFFER_BYTES = 16 * 1024
OTHER_FILES = 512


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many silent connections, and so many slow ones: half of these take nothing, half 4 kB a second. Each that ends
    is opened again at once. They come evenly: all at once would be a flood of requests, which is another thing to
    measure."""

    silent: int
    slow: int


def keep_up(crowd: Crowd, url: str, ready: Event, stop: Event) -> None:
    """Opens all connections, says that they are there, and keeps their number until it is told to stop."""
    allow_files(crowd.silent + crowd.slow)
    with uvloop_runner() as runner:
        runner.run(_keep_up(crowd, url, ready, stop))


async def _keep_up(crowd: Crowd, url: str, ready: Event, stop: Event) -> None:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    request = f"GET {LARGE} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode() * PIPELINED
    clients = [asyncio.create_task(_silent(address)) for _ in range(crowd.silent)]
    clients += [asyncio.create_task(_slow(address, request, reads=bool(number % 2))) for number in range(crowd.slow)]
    await asyncio.sleep(GATHERING_SECONDS + SETTLING_SECONDS)
    ready.set()
    await asyncio.to_thread(stop.wait)
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def _silent(address: tuple[str, int]) -> None:
    await asyncio.sleep(random.uniform(0, GATHERING_SECONDS))  # noqa: S311
    while True:
        with suppress(OSError), _opened() as client:
            await asyncio.get_running_loop().sock_connect(client, address)
            await asyncio.get_running_loop().sock_recv(client, 1)


async def _slow(address: tuple[str, int], request: bytes, *, reads: bool) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(random.uniform(0, GATHERING_SECONDS))  # noqa: S311
    while True:
        with suppress(OSError), _opened() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            await loop.sock_connect(client, address)
            await loop.sock_sendall(client, request)
            if not reads:
                # Until it is cancelled: who does not read does not see its connection's end.
                await asyncio.Event().wait()
            ended = False
            while not ended:
                await asyncio.sleep(READ_EVERY_SECONDS)
                ended = not await loop.sock_recv(client, READ_BYTES)


def _opened() -> socket.socket:
    # From one of many addresses of this machine: a bound per address is not what is measured.
    client = socket.socket()
    client.setblocking(False)
    client.bind((f"127.0.1.{random.randint(1, ADDRESSES)}", 0))  # noqa: S311
    return client


def allow_files(connections: int) -> None:
    """Raises this process' limit of open files. Raises SystemExit when it may not be so high."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} open files are needed, and {hard} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
