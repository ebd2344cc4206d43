"""Whether memory grows: `make measure-memory`. All operations in turns, as fast as they go, for ten minutes."""

import sys
import time

from bench.data import Secrets, load_users
from bench.load import closed_loop
from bench.operations import OPERATIONS, Minted, Wire
from bench.servers import latchkey
from tests.kit.own_postgres import own_postgres

USERS = 10_000
CONNECTIONS = 32
MINUTES = 10
TURN_SECONDS = 3.0


def main() -> None:
    """Measures and prints: proportional set sizes (PSS) of worker and supervisor, once a minute."""
    signing = Secrets.new()
    with own_postgres() as postgres:
        load_users(postgres.dsn, USERS)
        with latchkey(postgres.dsn, signing) as target:
            assert target.processes, "started by us"
            accounts = Minted(postgres.dsn, signing, USERS)
            answers = bad = 0
            print("| minutes | answers | worker MiB | all MiB | bad |")
            print("| ---: | ---: | ---: | ---: | ---: |")
            started = time.perf_counter()
            for minute in range(MINUTES + 1):
                while time.perf_counter() < started + 60 * minute:
                    for operation in OPERATIONS:
                        script = operation.script(Wire(target), accounts)
                        connections = min(CONNECTIONS, operation.connections_max)
                        load = closed_loop(operation, target, script, connections, TURN_SECONDS)
                        answers, bad = answers + load.answers, bad + load.bad.total()
                sizes = target.processes.pss_mib()
                print(
                    f"| {minute} | {answers} | {sizes['worker']:.1f} | {sum(sizes.values()):.1f} | {bad} |", flush=True
                )
    if bad:
        sys.exit("some answers were wrong")


if __name__ == "__main__":
    main()
