"""Measures an import of accounts: seconds, rows a second, and the most memory that the command took.

    python -m bench.imports [--rows 1000000]

PostgreSQL runs on the same machine, with the settings of `latchkey dev`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.kit.own_postgres import own_postgres
from tests.kit.ports import free_port
from tests.kit.server import environment

HASH = "pbkdf2_sha256$600000$seasalt$cR5zO51kEpfDHRAoxhgX1t7S61sDrllM6vVT/3y8rN8="


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, own_postgres() as postgres:
        path = Path(folder) / "users.ndjson"
        _write(path, rows)
        print(f"{rows} accounts, {path.stat().st_size / 1e6:.0f} MB")
        for command in ("import users.ndjson --report report.ndjson", "export export.ndjson --hashes"):
            seconds, memory, printed = _run(command, folder, postgres.dsn)
            print(f"{command}: {seconds:.1f} s, {rows / seconds:.0f} a second, at most {memory} MiB; {printed}")


def _write(path: Path, rows: int) -> None:
    with path.open("w") as file:
        for number in range(rows):
            account = {
                "email": f"user{number}@example{number % 997}.com",
                "name": f"User {number}",
                "password_hash": HASH,
                "verified": number % 2 == 0,
                "created_at": "2024-05-06T07:08:09Z",
                "id": number + 1,
            }
            # One in ten has metadata.
            more = {"owner": {"theme": "dark"}} if number % 10 == 0 else {}
            file.write(json.dumps(account | more) + "\n")


def _run(command: str, folder: str, dsn: str) -> tuple[float, int, str]:
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "latchkey", "users", *command.split()],
            cwd=folder,
            env=environment(dsn, free_port()),
            stdout=output,
            stderr=output,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        output.seek(0)
        return seconds, used.ru_maxrss // 1024, output.read().decode().strip()


if __name__ == "__main__":
    main()
