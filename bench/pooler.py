"""What PgBouncer between Latchkey and PostgreSQL costs: `make measure-pooler`.

The same connections read and write straight, through `pool_mode = session` and through `pool_mode = transaction`, in
turns. Tests hold that all answers are right (tests/faults/test_pgbouncer.py).
"""

import os
import shutil
from contextlib import ExitStack
from statistics import median

from bench.data import Secrets, load_users
from bench.load import Load, closed_loop
from bench.operations import OPERATIONS, Minted, Wire
from bench.servers import latchkey
from tests.kit.own_postgres import own_postgres
from tests.kit.pgbouncer import pgbouncer

USERS = 10_000
CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 5
MEASURED = [operation for operation in OPERATIONS if operation.name in {"get-user", "refresh"}]


def main() -> None:
    """Starts everything, measures and prints."""
    program = shutil.which("pgbouncer")
    if program is None:
        raise SystemExit("pgbouncer is not installed (apt-get install pgbouncer)")
    signing = Secrets.new()
    with own_postgres() as postgres, ExitStack() as stack:
        load_users(postgres.dsn, USERS)
        ways = {"straight": postgres.dsn}
        for mode in ("session", "transaction"):
            ways[mode] = stack.enter_context(pgbouncer(program, postgres.dsn, mode, default_pool_size=20)).dsn
        targets = {way: stack.enter_context(latchkey(dsn, signing)) for way, dsn in ways.items()}
        accounts = Minted(postgres.dsn, signing, USERS)
        print(f"{os.cpu_count()} cores, with PostgreSQL, PgBouncer and {CONNECTIONS} connections on them")
        print("| operation | | req/s | x straight | bad |")
        print("| --- | --- | ---: | ---: | ---: |")
        for operation in MEASURED:
            rounds: dict[str, list[Load]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, target in targets.items():
                    script = operation.script(Wire(target), accounts)
                    rounds[way].append(closed_loop(operation, target, script, CONNECTIONS, SECONDS))
            straight = median(load.per_second for load in rounds["straight"])
            for way, loads in rounds.items():
                per_second = median(load.per_second for load in loads)
                bad = sum(load.bad.total() for load in loads)
                print(f"| {operation.title} | {way} | {per_second:.0f} | {per_second / straight:.2f} | {bad} |")


if __name__ == "__main__":
    main()
