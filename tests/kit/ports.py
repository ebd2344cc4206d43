"""TCP ports for servers under test: no other test process and no outgoing connection gets them meanwhile."""

import atexit
import itertools
import random
import socket
from collections.abc import Iterator
from functools import cache

# Below what systems give to outgoing connections: Linux begins at 32768, macOS and Windows at 49152.
LOWEST, END = 20_000, 32_000
BLOCK = 100


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that nobody listens on, and that stays this process's for its next 99 calls."""
    for port in itertools.islice(_turns(), BLOCK):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                # A server of this process, or of another program, or one that ended a moment ago.
                continue
            return port
    raise AssertionError(f"no port is free among {BLOCK}")


@cache
def _turns() -> Iterator[int]:
    """The ports of a block that this process keeps until it ends, round and round."""
    first = _keep_a_block()
    return itertools.cycle(range(first, first + BLOCK))


def _keep_a_block() -> int:
    """Binds the first number of a block for UDP, which is in nobody's way, so that no other process takes the block."""
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
