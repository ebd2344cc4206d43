"""What a flood of logins does to everybody else: `make measure-flood`.

Three times as many logins as the cores can hash arrive at a fixed rate, while others read, refresh and ask for health.
Their latency is compared with that on the same server without the flood.
"""

import asyncio
import os
import selectors
import time
from collections import Counter
from multiprocessing import get_context
from multiprocessing.queues import Queue

from bench.ceiling import hash_seconds
from bench.data import Secrets, load_users
from bench.openloop import Latency, open_loop
from bench.operations import OPERATIONS, Minted, Operation, Script, Wire
from bench.servers import Target, latchkey
from bench.wire import Connection
from tests.kit.own_postgres import own_postgres

USERS = 10_000
SECONDS = 30.0
TIMES = 3
OTHERS_RATE = 50.0
CONNECTIONS = 32
NAMED = {operation.name: operation for operation in OPERATIONS}
HEALTH = Operation("health", "GET /healthz", 200, lambda wire, _: Script([wire.request("GET", "/healthz")]))
OTHERS = (NAMED["get-user"], NAMED["refresh"], HEALTH)


def main() -> None:
    """Measures and prints."""
    rate = TIMES * (os.cpu_count() or 1) / hash_seconds()
    signing = Secrets.new()
    with own_postgres() as postgres:
        load_users(postgres.dsn, USERS)
        with latchkey(postgres.dsn, signing, hash_queue_seconds=2.0) as target:
            accounts = Minted(postgres.dsn, signing, USERS)
            idle = [_measured(operation, target, accounts) for operation in OTHERS]
            logins = NAMED["login"].script(Wire(target), accounts).requests
            spawn = get_context("spawn")
            ended: Queue[tuple[Counter[int], float]] = spawn.Queue()
            flood = spawn.Process(target=_flood, args=(target.url, logins, rate, len(OTHERS) * (SECONDS + 2), ended))
            flood.start()
            # The queue of logins has to be full first.
            time.sleep(3.0)
            flooded = [_measured(operation, target, accounts) for operation in OTHERS]
            statuses, slowest = ended.get()
            flood.join()
    print(f"{rate:.0f} logins a second, {TIMES} times what the cores can hash: {dict(statuses)} by status;")
    print(f"the slowest 503 came after {slowest:.2f} s")
    print("| operation | p50 ms, idle | flood | p99 ms, idle | flood | times | wrong |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for operation, before, during in zip(OTHERS, idle, flooded, strict=True):
        print(
            f"| {operation.title} | {before.p50_ms:.2f} | {during.p50_ms:.2f} | {before.p99_ms:.2f} | {during.p99_ms:.2f}"
            f" | {during.p99_ms / before.p99_ms:.1f} | {during.bad.total()} |"
        )


def _measured(operation: Operation, target: Target, accounts: Minted) -> Latency:
    script = operation.script(Wire(target), accounts)
    return open_loop(operation, target, script, CONNECTIONS, OTHERS_RATE, SECONDS)


def _flood(
    url: str, requests: list[bytes], rate: float, seconds: float, ended: "Queue[tuple[Counter[int], float]]"
) -> None:
    """Logins at a fixed rate, each on a connection of its own, in a process of its own."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.EpollSelector())) as runner:
        ended.put(runner.run(_all_logins(url, requests, rate, seconds)))


async def _all_logins(url: str, requests: list[bytes], rate: float, seconds: float) -> tuple[Counter[int], float]:
    statuses: Counter[int] = Counter()
    slowest = 0.0

    async def log_in(number: int) -> None:
        nonlocal slowest
        connection = Connection(url)
        began = time.perf_counter()
        answer = await connection.ask(requests[number % len(requests)])
        connection.close()
        statuses[answer.status] += 1
        if answer.status != 200:
            slowest = max(slowest, time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(round(rate * seconds)):
            group.create_task(log_in(number))
            await asyncio.sleep(1 / rate)
    return statuses, slowest


if __name__ == "__main__":
    main()
