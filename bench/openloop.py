"""Open loop: requests are due at fixed times, whatever the server does.

Latency counts from when a request was due, not from when a connection was free to send it: a server that stalls for a
second is charged for all that came in that second (Gil Tene calls forgetting them coordinated omission).
"""

import asyncio
import gc
import selectors
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.operations import Operation, Script
from bench.servers import Target
from bench.wire import Connection


@dataclass
class Latency:
    """Milliseconds from when requests were due until their answers were there; `lag_ms`: how late this generator
    itself came to look at the 99th of a hundred that were due."""

    rate: float
    answers: int
    p50_ms: float
    p99_ms: float
    lag_ms: float
    bad: Counter[str] = field(default_factory=Counter)


def open_loop(
    operation: Operation, target: Target, script: Script, connections: int, rate: float, seconds: float
) -> Latency:
    """Sends `rate` requests a second, evenly, and waits for all answers."""
    with asyncio.Runner(loop_factory=_precise_loop) as runner:
        return runner.run(_open(operation, target, script, connections, rate, seconds))


def _precise_loop() -> asyncio.AbstractEventLoop:
    # select() takes microseconds; epoll, and uvloop on it, only milliseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _open(
    operation: Operation, target: Target, script: Script, connections: int, rate: float, seconds: float
) -> Latency:
    due: asyncio.Queue[float] = asyncio.Queue()
    took: list[float] = []
    lags: list[float] = []
    bad: Counter[str] = Counter()

    async def virtual_user(slot: int, connection: Connection) -> None:
        while True:
            intended = await due.get()
            try:
                answer = await connection.ask(script.request(slot))
            except OSError as error:
                bad[type(error).__name__] += 1
            else:
                took.append(time.perf_counter() - intended)
                if answer.status != operation.expected:
                    bad[str(answer.status)] += 1
                script.learn(slot, answer)
            due.task_done()

    opened = [Connection(target.url) for _ in range(connections)]
    users = [asyncio.create_task(virtual_user(slot, connection)) for slot, connection in enumerate(opened)]
    gc.disable()
    started = time.perf_counter() + 0.01
    for number in range(max(1, round(rate * seconds))):
        intended = started + number / rate
        if (early := intended - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        lags.append(time.perf_counter() - intended)
        due.put_nowait(intended)
    await due.join()
    gc.enable()
    for user in users:
        user.cancel()
    for connection in opened:
        connection.close()
    # The loop hangs up in its next round.
    await asyncio.sleep(0)
    return Latency(
        rate, len(took), _quantile(took, 0.50) * 1e3, _quantile(took, 0.99) * 1e3, _quantile(lags, 0.99) * 1e3, bad
    )


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")
