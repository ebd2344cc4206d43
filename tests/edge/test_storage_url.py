"""Which store a RATE_LIMIT_STORAGE means."""

import pytest
from limits.aio.storage import RedisStorage

from latchkey.clock import system_clock
from latchkey.counts import MemoryCounts, SharedCounts, open_counts


@pytest.mark.parametrize(
    "url", ["redis://valkey:6379/0", "valkey://valkey:6379/0", "rediss://valkey.example:6380", "valkey://redis:6379"]
)
def test_host_stays_as_it_is_written(url: str) -> None:
    """A container that runs Valkey is often called so: only the scheme is ours to read."""
    counts = open_counts(url, system_clock)
    assert isinstance(counts, SharedCounts)
    assert isinstance(counts.storage, RedisStorage)
    scheme = "rediss" if url.startswith("rediss") else "redis"
    assert counts.storage.bridge.uri == f"{scheme}://{url.partition('://')[2]}"


def test_memory() -> None:
    """The default needs no server."""
    assert isinstance(open_counts("memory://", system_clock), MemoryCounts)
