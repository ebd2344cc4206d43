"""What thousands of idle and slow connections do to everybody else: `make measure-connections`.

Others come one after another at a fixed rate, each on a connection of its own, first alone and then beside a crowd, in
turns. Measured directly and behind nginx, if that is installed. On 127.0.0.1 only, eight minutes.
"""

import asyncio
import os
import shutil
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from urllib.parse import urlsplit

from bench.crowd import Crowd, keep_up
from bench.data import Secrets, load_users
from bench.load import uvloop_runner
from bench.nginx import nginx
from bench.operations import OPERATIONS, Minted, Wire
from bench.servers import Target, latchkey
from bench.wire import Connection
from tests.kit.own_postgres import own_postgres

USERS = 10_000
ROUNDS = 3
SECONDS = 10.0
RATE = 50.0
PATIENCE_SECONDS = 15.0
READY_SECONDS = 60.0
PAUSE_SECONDS = 3.0
CROWDS = {
    "5 000 silent": Crowd(silent=5_000, slow=0),
    "5 000 silent, 1 000 slow": Crowd(silent=5_000, slow=1_000),
}


@dataclass
class Seen:
    """What others saw: for each round the seconds until their answers were there, and what went wrong; and the worker's
    memory in MiB."""

    rounds: list[list[float]] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    mib: float = 0.0

    def quantile_ms(self, share: float) -> float:
        """Milliseconds that this share of a round's answers took at most: the median of the rounds."""
        quantiles = [sorted(took)[int(len(took) * share)] for took in self.rounds if took]
        return statistics.median(quantiles) * 1e3 if quantiles else float("nan")


def main() -> None:
    """Measures and prints."""
    signing = Secrets.new()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before it began")
    print(
        f"others: GET /users/:id, {RATE:g} a second, each on a new connection; medians of {ROUNDS} times {SECONDS:g} s"
    )
    print("| | beside | p50 ms, alone | beside | p99 ms, alone | beside | times | failed | MiB, alone | beside |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with own_postgres() as postgres:
        load_users(postgres.dsn, USERS)

        def mint() -> Minted:
            return Minted(postgres.dsn, signing, USERS)

        with latchkey(postgres.dsn, signing) as target:
            _measure("directly", target.url, target, mint)
        if shutil.which("nginx") is None:
            print("nginx is not installed: not measured behind it")
            return
        with (
            latchkey(postgres.dsn, signing, trusted_proxies="127.0.0.1") as target,
            nginx(urlsplit(target.url).port or 80) as url,
        ):
            _measure("behind nginx", url, target, mint)


def _measure(how: str, url: str, target: Target, mint: Callable[[], Minted]) -> None:
    (operation,) = (operation for operation in OPERATIONS if operation.name == "get-user")
    for name, crowd in CROWDS.items():
        # Their tokens are good for five minutes.
        requests = operation.script(Wire(target), mint()).requests
        alone, beside = Seen(), Seen()
        for _ in range(ROUNDS):
            _others(url, requests, target, alone)
            with _gathered(crowd, url):
                _others(url, requests, target, beside)
        p50, p99 = (alone.quantile_ms(share) for share in (0.50, 0.99))
        failed = alone.failed + beside.failed
        print(
            f"| {how} | {name} | {p50:.1f} | {beside.quantile_ms(0.50):.1f} | {p99:.1f} | {beside.quantile_ms(0.99):.1f}"
            f" | {beside.quantile_ms(0.99) / p99:.1f} | {failed.total()} | {alone.mib:.0f} | {beside.mib:.0f} |",
            flush=True,
        )
        if failed:
            print(f"failed: {dict(failed)}")


@contextmanager
def _gathered(crowd: Crowd, url: str) -> Iterator[None]:
    """The crowd is there, in a process of its own."""
    spawn = get_context("spawn")
    ready, stop = spawn.Event(), spawn.Event()
    process = spawn.Process(target=keep_up, args=(crowd, url, ready, stop))
    process.start()
    try:
        if not ready.wait(READY_SECONDS):
            raise SystemExit("the crowd did not come together")
        yield
    finally:
        stop.set()
        process.join()
        # The server has thousands of ends to notice, which is no part of being alone.
        time.sleep(PAUSE_SECONDS)


def _others(url: str, requests: list[bytes], target: Target, seen: Seen) -> None:
    with uvloop_runner() as runner:
        seen.rounds.append(runner.run(_ask(url, requests, seen.failed)))
    if target.processes:
        seen.mib = max(seen.mib, target.processes.pss_mib()["worker"])


async def _ask(url: str, requests: list[bytes], failed: Counter[str]) -> list[float]:
    """Asks, and returns the seconds from when each request was due until its answer was there."""
    took: list[float] = []
    started = time.perf_counter()

    async def one(number: int) -> None:
        connection, due = Connection(url), started + number / RATE
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await connection.ask(requests[number % len(requests)])
        except (OSError, TimeoutError) as error:
            failed[type(error).__name__] += 1
        else:
            took.append(time.perf_counter() - due)
            if answer.status != 200:
                failed[str(answer.status)] += 1
        finally:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for number in range(round(RATE * SECONDS)):
            if (early := started + number / RATE - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            group.create_task(one(number))
    return took


if __name__ == "__main__":
    main()
