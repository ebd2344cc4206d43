"""Which store a RATE_LIMIT_STORAGE means."""

import pytest
from limits.aio.storage import RedisStorage

from latchkey.clock import system_clock
from latchkey.http.edge.memory_counts import MemoryCounts
from latchkey.http.edge.rate_limit import open_storage


@pytest.mark.parametrize(
    "url", ["redis://valkey:6379/0", "valkey://valkey:6379/0", "rediss://valkey.example:6380", "valkey://redis:6379"]
)
def test_host_stays_as_it_is_written(url: str) -> None:
    """A container that runs Valkey is often called so: only the scheme is ours to read."""
    storage = open_storage(url, system_clock)
    assert isinstance(storage, RedisStorage)
    scheme = "rediss" if url.startswith("rediss") else "redis"
    assert storage.bridge.uri == f"{scheme}://{url.partition('://')[2]}"


def test_memory() -> None:
    """The default needs no server."""
    assert isinstance(open_storage("memory://", system_clock), MemoryCounts)
