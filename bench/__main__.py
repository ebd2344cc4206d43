"""The benchmark: `make bench`. It starts everything itself, on loopback; docs/performance.md tells how to read it."""

import argparse
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from urllib.parse import urlsplit

import httpx
import psycopg

from bench import ceiling, report
from bench.data import Secrets, load_users
from bench.load import closed_loop
from bench.openloop import open_loop
from bench.operations import OPERATIONS, Accounts, Minted, Operation, OverHttp, Wire
from bench.report import FLOOR, OURS, DataSet, Measured, Row
from bench.sameness import require_same_statements
from bench.servers import Target, floor, latchkey, peer
from latchkey.database.pool import POOL_MAX
from tests.kit.own_postgres import OwnPostgres, own_postgres

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
    for named in chosen.peer:
        name, _, url = named.partition("=")
        if not name or not url.startswith("http://"):
            parser.error(f"--peer {named}: not NAME=http://…")
        try:
            httpx.get(url)
        except httpx.TransportError as error:
            parser.error(f"--peer {named}: it does not answer: {error}")
    if chosen.quick:
        chosen.seconds, chosen.rounds = 1.0, 1
    return chosen


def main() -> None:
    """Measures, prints, writes the results. Exits with 1 when an answer was not the right one."""
    chosen = arguments()
    signing, started, commit = Secrets.new(), datetime.now(UTC), report.commit()
    hash_seconds = ceiling.hash_seconds()
    with own_postgres() as postgres:
        with psycopg.connect(postgres.dsn) as connection:
            postgresql = connection.info.parameter_status("server_version") or ""
        data_sets = measure(chosen, postgres, signing, hash_seconds)
    for data_set in data_sets:
        print(f"\n{report.table(data_set)}\n")
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
    print("docs/performance.md tells how to read this")
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


@dataclass
class Subject:
    """A data set with the servers that serve it, all of which run."""

    data_set: DataSet
    dsn: str
    targets: list[Target]
    accounts: dict[str, Accounts]


def measure(chosen: argparse.Namespace, postgres: OwnPostgres, signing: Secrets, hash_seconds: float) -> list[DataSet]:
    """All data sets, all operations, all servers."""
    # Copied first: a database that is copied must have no connections.
    databases = {users: _copy(postgres.dsn, users) for users in chosen.users}
    with ExitStack() as stack:
        subjects = [_subject(stack, dsn, signing, users) for users, dsn in databases.items()]
        first = subjects[0]
        require_same_statements(postgres, first.targets[0], first.targets[1], first.accounts[OURS])
        # A peer has its own data set, whatever ours are.
        for name, url in (named.split("=", 1) for named in chosen.peer):
            first.targets.append(peer(name, url))
            first.accounts[name] = OverHttp(url, PEER_USERS)
        for operation in OPERATIONS:
            if operation.name in chosen.operations.split(","):
                print(f"{operation.title} …", file=sys.stderr, flush=True)
                _measure(chosen, operation, subjects, hash_seconds)
        for subject in subjects:
            subject.data_set.servers = {
                target.name: {
                    "start_seconds": target.start_seconds,
                    "idle_cpu_millis_per_second": target.idle_cpu,
                    "idle_mib": target.idle_mib,
                    "after_mib": target.processes.pss_mib(),
                }
                for target in subject.targets
                if target.processes
            }
    return [subject.data_set for subject in subjects]


def _subject(stack: ExitStack, dsn: str, signing: Secrets, users: int) -> Subject:
    data_set = DataSet(users, load_users(dsn, users))
    targets = [stack.enter_context(latchkey(dsn, signing)), stack.enter_context(floor(dsn))]
    return Subject(data_set, dsn, targets, dict.fromkeys((OURS, FLOOR), Minted(dsn, signing, users)))


def _measure(chosen: argparse.Namespace, operation: Operation, subjects: list[Subject], hash_seconds: float) -> None:
    """One operation: servers and data sets in turns, so that neighbours disturb all of them alike."""
    connections = min(chosen.connections, operation.connections_max)
    measured = [Measured(operation, {target.name: Row() for target in subject.targets}) for subject in subjects]
    turns = [
        (subject, into.rows[target.name], target, Wire(target))
        for subject, into in zip(subjects, measured, strict=True)
        for target in subject.targets
    ]
    ceilings: list[list[float]] = [[] for _ in subjects]
    for number in range(chosen.rounds):
        # Each round begins with another one.
        start = number % len(turns)
        for subject, row, target, wire in turns[start:] + turns[:start]:
            script = operation.script(wire, subject.accounts[target.name])
            row.rounds.append(closed_loop(operation, target, script, connections, chosen.seconds))
        for subject, found in zip(subjects, ceilings, strict=True):
            clients, users = min(connections, POOL_MAX), subject.data_set.users
            alone = ceiling.statements_per_second(subject.dsn, operation.name, users, clients, chosen.seconds)
            if alone:
                found.append(alone)
    for subject, into, found in zip(subjects, measured, ceilings, strict=True):
        into.ceiling = median(found) if found else None
        if operation.name in HASHING:
            into.ceiling = (os.cpu_count() or 1) / hash_seconds
        subject.data_set.measured.append(into)
    for subject, row, target, wire in turns:
        # The same rate for all that serve a data set: half of what the slowest can do.
        slowest = min(other.per_second for other in subject.data_set.measured[-1].rows.values())
        rate = max(0.5, min(operation.rate_max, slowest / 2))
        script = operation.script(wire, subject.accounts[target.name])
        row.latency = open_loop(operation, target, script, OPEN_LOOP_CONNECTIONS, rate, chosen.seconds * 1.5)


if __name__ == "__main__":
    main()
