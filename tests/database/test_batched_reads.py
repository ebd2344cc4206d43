"""Reads that share a statement: each caller gets its own answer, and none older than its question."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.database.batched_reads import AT_MOST, BatchedReads


class Table:
    """A table whose reads end when the test says so."""

    def __init__(self) -> None:
        self.rows = {number: f"row {number}" for number in range(1000)}
        self.asked: list[list[int]] = []
        self.arrived = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def read_many(self, keys: list[int]) -> dict[int, str]:
        """The rows as they are when the statement arrives."""
        self.asked.append(keys)
        self.arrived.release()
        found = {key: self.rows[key] for key in keys if key in self.rows}
        await self.go_on.wait()
        return found


@given(st.lists(st.integers(0, 1100), min_size=1, max_size=600))
def test_everybody_gets_their_own(keys: list[int]) -> None:
    """Whatever is asked at once, the same key often, unknown ones: the right row each, in few statements of bounded
    size."""

    async def ask() -> None:
        table = Table()
        reads = BatchedReads(table.read_many)
        assert await asyncio.gather(*map(reads.read, keys)) == [table.rows.get(key) for key in keys]
        assert max(map(len, table.asked)) <= AT_MOST
        assert len(table.asked) <= len(set(keys)) // AT_MOST + 2

    asyncio.run(ask())


async def test_a_read_is_no_older_than_its_question() -> None:
    """What is asked while a statement is under way is not answered by it."""
    table = Table()
    reads = BatchedReads(table.read_many)
    table.go_on.clear()
    before = [asyncio.create_task(reads.read(key)) for key in (1, 2)]
    await table.arrived.acquire()
    table.rows[1] = "changed"
    after = asyncio.create_task(reads.read(1))
    await asyncio.sleep(0)
    table.go_on.set()
    assert await asyncio.gather(*before) == ["row 1", "row 2"]
    assert await after == "changed"


async def test_who_goes_away_strands_nobody() -> None:
    table = Table()
    reads = BatchedReads(table.read_many)
    table.go_on.clear()
    callers = [asyncio.create_task(reads.read(key)) for key in (1, 1, 2)]
    await asyncio.sleep(0)
    callers[0].cancel()
    table.go_on.set()
    assert await asyncio.gather(*callers[1:]) == ["row 1", "row 2"]
    with pytest.raises(asyncio.CancelledError):
        await callers[0]


async def test_a_failure_is_everybodys_and_the_next_read_works() -> None:
    table = Table()
    reads = BatchedReads(table.read_many)
    rows, table.rows = table.rows, None  # type: ignore[assignment]  # a statement that fails
    failures = await asyncio.gather(*(reads.read(key) for key in (1, 2, 1)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [TypeError] * 3
    table.rows = rows
    assert await reads.read(1) == "row 1"


async def test_a_statement_that_stands_still_does_not_stop_the_next() -> None:
    """Another batch goes by another."""
    table = Table()
    reads = BatchedReads(table.read_many)
    table.go_on.clear()
    stuck = asyncio.create_task(reads.read(1))
    await table.arrived.acquire()
    other = asyncio.create_task(reads.read(2))
    await table.arrived.acquire()
    table.go_on.set()
    assert [await stuck, await other] == ["row 1", "row 2"]
