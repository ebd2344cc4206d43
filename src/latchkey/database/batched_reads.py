"""Reads of single rows that arrive together share one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Generic, TypeVar

AT_MOST = 256
AT_ONCE = 2
Key = TypeVar("Key")
Row = TypeVar("Row")


class BatchedReads(Generic[Key, Row]):
    """Reads rows by key for many callers at once.

    A read joins only a batch that is not sent yet, so it never sees a state older than its own arrival. At most two
    batches of 256 keys run at a time; later reads form the next. `read_many` returns the rows that it finds.
    """

    def __init__(self, read_many: Callable[[list[Key]], Awaitable[Mapping[Key, Row]]]) -> None:
        self._read_many = read_many
        self._waiting: dict[Key, list[asyncio.Future[Row | None]]] = {}
        self._is_preparing = False
        # Batches have their own tasks: a cancelled caller does not cancel the reads of others.
        self._under_way: set[asyncio.Task[None]] = set()

    async def read(self, key: Key) -> Row | None:
        """Returns the row of that key, or None. Raises what `read_many` raises."""
        answer: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        self._prepare()
        return await answer

    def _prepare(self) -> None:
        if self._waiting and not self._is_preparing and len(self._under_way) < AT_ONCE:
            self._is_preparing = True
            task = asyncio.create_task(self._send())
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._prepare()

    async def _send(self) -> None:
        self._is_preparing = False
        batch = {key: self._waiting.pop(key) for key in list(islice(self._waiting, AT_MOST))}
        answers = [(key, answer) for key, answers in batch.items() for answer in answers]
        try:
            rows = await self._read_many(list(batch))
            for key, answer in answers:
                if not answer.done():
                    answer.set_result(rows.get(key))
        except Exception as error:  # noqa: BLE001 whatever it is, each caller gets it
            for _, answer in answers:
                if not answer.done():
                    answer.set_exception(error)
        finally:
            for _, answer in answers:
                # Still open because this process is ending.
                answer.cancel()
