"""Limits of connections: their number, how long one may be idle, and how long a client may take nothing of an
answer."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import structlog

from latchkey.app import Settings

CONNECTIONS = 8192
OTHER_FILES = 256
"""Open files that the process needs besides connections: the database, a store, the log, the code."""

KEEP_ALIVE_SECONDS, KEEP_ALIVE_SECONDS_OF_PROXIES = 10, 75
"""Proxies and load balancers keep idle connections for 60 s.

Ours must live longer, or a proxy would use a closed one.
"""

UNREAD_SECONDS = 30
SEND_BUFFER_BYTES = 64 * 1024
OPEN_FILES = Path("/proc/self/fd")
LOOKS, LOOK_SECONDS = 500, 0.02

log = structlog.get_logger(__name__)


def keep_alive_seconds(settings: Settings) -> int:
    """Returns how long a connection may be idle, which is also how long the head of a request may take.

    The server has one timer for both.
    """
    default = KEEP_ALIVE_SECONDS_OF_PROXIES if settings.trusted_proxies else KEEP_ALIVE_SECONDS
    return settings.keep_alive_seconds or default


def connections_at_a_time() -> int:
    """Raises the limit of open files and returns how many connections this process and its children may hold.

    An idle connection costs 3 kB. With too few, silent connections would keep other clients out. With more than open
    files, the server would retry `accept` without a pause.
    """
    if sys.platform == "win32":
        return CONNECTIONS
    import resource

    wanted = CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
        except (OSError, ValueError):
            log.info("the limit of open files cannot be raised", limit=soft)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, max(soft - OTHER_FILES, soft // 2))


async def disconnect_stalled_readers(port: int) -> None:
    """Makes the kernel close connections whose client takes nothing of an answer for UNREAD_SECONDS. Linux only.

    Waits until this process listens on `port`. Connections inherit the setting from the listening socket, which the
    server does not hand out. They also inherit a limit of the kernel's buffer, which would otherwise grow to 4 MB.
    """
    if sys.platform != "linux":
        return
    for _ in range(LOOKS):
        listening = list(_listening_sockets(port))
        for found in listening:
            with found:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
                found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if listening:
            return
        await asyncio.sleep(LOOK_SECONDS)
    log.warning("clients that do not read stay connected: the listening socket was not found", port=port)


def _listening_sockets(port: int) -> Iterator[socket.socket]:
    """Returns duplicates of this process' sockets that listen on that port."""
    for entry in list(OPEN_FILES.iterdir()):
        try:
            if not str(entry.readlink()).startswith("socket:"):
                continue
            handle = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            # The socket was closed after it was listed.
            continue
        internet = handle.family in (socket.AF_INET, socket.AF_INET6) and handle.type == socket.SOCK_STREAM
        listens = internet and handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens and handle.getsockname()[1] == port:
            yield handle
        else:
            handle.close()
