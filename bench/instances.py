"""What a second instance brings, on one store of counts (Redis) and one PostgreSQL: `make measure-instances`.

The same connections read from one instance and from two, in turns; a third instance that counts in memory shows what
the store costs. That two instances count as one is held by a test (tests/edge/test_rate_limit_store.py), and how soon
one hears what another ended is measured by `make measure-revocation`.
"""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.data import Secrets, load_users
from bench.load import Load, closed_loop
from bench.operations import OPERATIONS, Minted, Wire
from bench.servers import latchkey
from tests.kit.own_postgres import own_postgres
from tests.kit.redis_server import RedisServer

USERS = 10_000
CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 5
MEASURED = [operation for operation in OPERATIONS if operation.name in {"csrf-token", "get-user", "refresh"}]


def main() -> None:
    """Starts everything, measures and prints."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is not installed (apt-get install redis-server)")
    signing = Secrets.new()
    with own_postgres() as postgres, tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        load_users(postgres.dsn, USERS)
        store = RedisServer(program, Path(directory)).start()
        stack.callback(store.kill)
        shared = f"redis://{store.address}"
        stores = ["memory://", shared, shared]
        alone, first, second = (
            stack.enter_context(latchkey(postgres.dsn, signing, rate_limit_storage=each)) for each in stores
        )
        ways = {
            "one instance, memory": [alone],
            "one instance, Redis": [first],
            "two instances, Redis": [first, second],
        }
        accounts = Minted(postgres.dsn, signing, USERS)
        print(f"{os.cpu_count()} cores, with PostgreSQL, Redis and {CONNECTIONS} connections on them")
        print("| operation | | req/s | x one on Redis | CPU µs | bad |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        for operation in MEASURED:
            rounds: dict[str, list[list[Load]]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, targets in ways.items():
                    scripts = [operation.script(Wire(target), accounts) for target in targets]
                    with ThreadPoolExecutor(len(targets)) as threads:
                        each = CONNECTIONS // len(targets)
                        runs = [
                            threads.submit(closed_loop, operation, target, script, each, SECONDS)
                            for target, script in zip(targets, scripts, strict=True)
                        ]
                        rounds[way].append([run.result() for run in runs])
            reference = median(_per_second(loads) for loads in rounds["one instance, Redis"])
            for way, measured in rounds.items():
                per_second = median(_per_second(loads) for loads in measured)
                micros = median(_micros(loads) for loads in measured)
                bad = sum(load.bad.total() for loads in measured for load in loads)
                print(
                    f"| {operation.title} | {way} | {per_second:.0f} | {per_second / reference:.2f} | {micros:.0f} | {bad} |"
                )


def _per_second(loads: list[Load]) -> float:
    return sum(load.per_second for load in loads)


def _micros(loads: list[Load]) -> float:
    """CPU microseconds of all workers for one answer."""
    return sum(load.worker_cpu or 0.0 for load in loads) * 1e6 / sum(load.answers for load in loads)


if __name__ == "__main__":
    main()
