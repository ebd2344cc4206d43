"""TCP ports for servers under test, kept from other test processes and outgoing connections."""

import atexit
import itertools
import random
import socket
from collections.abc import Iterator
from functools import cache

# Below the range of outgoing connections: Linux begins at 32768, macOS and Windows at 49152.
LOWEST, END = 20_000, 32_000
BLOCK = 100


def free_port() -> int:
    """Returns a free TCP port of 127.0.0.1. It stays this process's for its next 99 calls."""
    for port in itertools.islice(_turns(), BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                # A server of this process or another program uses it, or one has just ended.
                continue
            return port
    raise AssertionError(f"no port is free among {BLOCK}")


@cache
def _turns() -> Iterator[int]:
    """Yields the ports of a block that this process keeps until it ends, in turns."""
    first = _keep_a_block()
    return itertools.cycle(range(first, first + BLOCK))


def _keep_a_block() -> int:
    """Reserves a block: binds its first number for UDP, which disturbs no server."""
    blocks = list(range(LOWEST, END, BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", first))
        except OSError:
            mark.close()
            continue
        atexit.register(mark.close)
        return first
    raise AssertionError("every block of ports is taken")
