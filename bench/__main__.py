"""The benchmark: `make bench`. It starts everything itself, on loopback; docs/performance.md tells how to read it."""

import argparse
import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from urllib.parse import urlsplit

import psycopg

from bench import ceiling, report
from bench.data import Secrets, load_users
from bench.load import closed_loop
from bench.openloop import open_loop
from bench.operations import OPERATIONS, Accounts, Minted, Operation, OverHttp, Wire
from bench.report import DataSet, Measured, Row
from bench.sameness import require_same_statements
from bench.servers import Target, floor, latchkey, peer
from latchkey.database.pool import POOL_MAX
from tests.faults.postgres import OwnPostgres, own_postgres

OPEN_LOOP_CONNECTIONS = 64
PEER_USERS = 64
HASHING = {"login", "register"}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    names = [operation.name for operation in OPERATIONS]
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--users", default="10000", help="sizes of the data sets, with commas (default 10000)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round of each operation (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts (default 3)")
    parser.add_argument("--connections", type=int, default=32, help="of the closed loop, at most 64 (default 32)")
    parser.add_argument("--operations", default=",".join(names), help="some of: %(default)s")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL", help="measure this server as well")
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it work?")
    parser.add_argument("--no-results", action="store_true", help="only print")
    chosen = parser.parse_args()
    chosen.users = [int(size) for size in chosen.users.split(",")]
    unknown = set(chosen.operations.split(",")) - set(names)
    if unknown or min(chosen.users) < 2000 or not 1 <= chosen.connections <= OPEN_LOOP_CONNECTIONS:
        parser.error(f"no such operation: {unknown}" if unknown else "at least 2000 users, and 1 to 64 connections")
    if chosen.quick:
        chosen.seconds, chosen.rounds = 1.0, 1
    return chosen


def main() -> None:
    """Measures, prints, writes the results. Exits with 1 when an answer was not the right one."""
    chosen = arguments()
    signing, started, commit = Secrets.new(), datetime.now(UTC), report.commit()
    hash_seconds = ceiling.hash_seconds()
    data_sets = []
    with own_postgres() as postgres:
        with psycopg.connect(postgres.dsn) as connection:
            postgresql = connection.info.parameter_status("server_version") or ""
        empty = postgres.dsn
        for size in chosen.users:
            data_sets.append(measure(chosen, postgres, _copy(empty, size), signing, size, hash_seconds))
            print(f"\n{report.table(data_sets[-1])}\n", flush=True)
    if len(data_sets) > 1:
        print(report.sizes_table(data_sets[0], data_sets[-1]) + "\n")
    head = {
        "date": started.date().isoformat(),
        "commit": commit,
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
        "machine": report.machine(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "versions": report.versions(postgresql),
        "connections": chosen.connections,
        "bcrypt_hash_ms": round(hash_seconds * 1e3, 1),
    }
    print(f"one bcrypt hash of 10 rounds: {hash_seconds * 1e3:.1f} ms; commit {commit}")
    bad = {
        f"{measured.operation.title}, {name}": dict(row.bad)
        for data_set in data_sets
        for measured in data_set.measured
        for name, row in measured.rows.items()
        if row.bad
    }
    if bad:
        raise SystemExit(f"Not a result, since these answers were wrong: {bad}")
    if not chosen.no_results:
        for path in report.write(started.strftime("%Y-%m-%d-%H%M"), head, data_sets):
            print(f"written: bench/results/{path.name}")


def _copy(empty: str, size: int) -> str:
    """The DSN of a copy of the empty database."""
    parts = urlsplit(empty)
    name = f"bench_{size}"
    # From another database, for the one that is copied must have no connections.
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {parts.path.lstrip('/')}")
    return parts._replace(path=f"/{name}").geturl()


def measure(
    chosen: argparse.Namespace, postgres: OwnPostgres, dsn: str, signing: Secrets, users: int, hash_seconds: float
) -> DataSet:
    """One data set, all operations, all servers."""
    data_set = DataSet(users, load_users(dsn, users))
    minted = Minted(dsn, signing, users)
    with ExitStack() as stack:
        own = [stack.enter_context(latchkey(dsn, signing)), stack.enter_context(floor(dsn))]
        accounts: dict[str, Accounts] = {target.name: minted for target in own}
        targets = list(own)
        for name, url in (named.split("=", 1) for named in chosen.peer):
            targets.append(peer(name, url))
            accounts[name] = OverHttp(url, PEER_USERS)
        require_same_statements(postgres, own[0], own[1], minted)
        for operation in OPERATIONS:
            if operation.name in chosen.operations.split(","):
                print(f"{operation.title} …", file=sys.stderr, flush=True)
                measured = _measured(chosen, operation, targets, accounts, dsn, users)
                if operation.name in HASHING:
                    measured.ceiling = (os.cpu_count() or 1) / hash_seconds
                data_set.measured.append(measured)
        for target in targets:
            if target.processes:
                data_set.servers[target.name] = {
                    "start_seconds": target.start_seconds,
                    "idle_cpu_millis_per_second": target.idle_cpu,
                    "idle_mib": target.idle_mib,
                    "after_mib": target.processes.pss_mib(),
                }
    return data_set


def _measured(
    chosen: argparse.Namespace,
    operation: Operation,
    targets: list[Target],
    accounts: dict[str, Accounts],
    dsn: str,
    users: int,
) -> Measured:
    measured = Measured(operation, {target.name: Row() for target in targets})
    wires = {target.name: Wire(target) for target in targets}
    connections = min(chosen.connections, operation.connections_max)
    ceilings = []
    for number in range(chosen.rounds):
        # In turns, and each round begins with another one.
        for target in targets[number % len(targets) :] + targets[: number % len(targets)]:
            script = operation.script(wires[target.name], accounts[target.name])
            load = closed_loop(operation, target, script, connections, chosen.seconds)
            measured.rows[target.name].rounds.append(load)
        seconds = chosen.seconds
        if alone := ceiling.statements_per_second(dsn, operation.name, users, min(connections, POOL_MAX), seconds):
            ceilings.append(alone)
    measured.ceiling = median(ceilings) if ceilings else None
    # The same rate for all: half of what the slowest can do.
    rate = min(operation.rate_max, min(row.per_second for row in measured.rows.values()) / 2)
    for target in targets:
        script = operation.script(wires[target.name], accounts[target.name])
        measured.rows[target.name].latency = open_loop(
            operation, target, script, OPEN_LOOP_CONNECTIONS, max(rate, 0.5), chosen.seconds * 1.5
        )
    return measured


if __name__ == "__main__":
    main()
