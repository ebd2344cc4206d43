"""Passes connections to the other address of `localhost` on to the server.

`localhost` has two addresses, and the server listens on one. Some programs try only the first address that they get,
and Node and some browsers begin with ::1.
"""

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

IPV4, IPV6 = "127.0.0.1", "::1"
# A server on :: accepts both.
MISSING = {IPV4: IPV6, IPV6: IPV4, "0.0.0.0": IPV6}  # noqa: S104 a key
EVERYWHERE = "::"
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Localhost:
    """How programs on this machine reach the server.

    `host` is the host of its URL. `taken` is the address of localhost where another program has the same port.
    """

    host: str
    taken: str | None = None


@contextmanager
def both_loopbacks(address: str, port: int) -> Iterator[Localhost]:
    """Listens on the other address of localhost while the server listens on `address`.

    Does nothing if `address` is not a loopback address, or if the machine has no IPv6.
    """
    other = MISSING.get(address)
    if other is None:
        host = f"[{address}]" if ":" in address else address
        yield Localhost("localhost" if address == EVERYWHERE else host)
        return
    try:
        listener = _listen(other, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield Localhost(IPV4 if other == IPV6 else f"[{IPV6}]", taken=other)
        else:
            yield Localhost("localhost")
        return
    with _passing_on(listener, IPV6 if address == IPV6 else IPV4, port):
        yield Localhost("localhost")


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if address == IPV6 else socket.AF_INET)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def _passing_on(listener: socket.socket, address: str, port: int) -> Iterator[None]:
    # Made here, not in the thread: it must exist when it is stopped.
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
    loop, stop = runner.get_loop(), asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(connect, sock=listener)
        await stop.wait()
        server.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _connect(reader, writer, address, port)
        finally:
            writer.close()

    def run() -> None:
        with runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True, name="loopback")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int) -> None:
    """Connects to the server, and copies in both directions until the server ends the connection."""
    try:
        answers, requests = await asyncio.open_connection(address, port)
    except OSError:
        # The server is not listening yet, or restarts.
        return
    asking = asyncio.create_task(_copy(reader, requests))
    try:
        await _copy(answers, writer)
    finally:
        asking.cancel()
        requests.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(CHUNK_BYTES):
            target.write(data)
            await target.drain()
    with suppress(OSError):
        target.write_eof()
