"""The ceiling: what PostgreSQL alone can do (pgbench with the same SQL), and how many passwords the cores can hash."""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import bcrypt

from bench import statements as sql
from bench.data import PASSWORD, ROUNDS

ROW = """\\set id random(1, :users)\n"""
# Each client rotates a session of its own, whose hash is the number of its rotations.
OWN_SESSION = (
    "\\set generation :generation + 1\n\\set old :generation - 1\n"
    "\\if :old = 0\n"
    "INSERT INTO sessions (id, user_id, token_hash, expires_at) VALUES (md5(:run::text || :client_id::text)::uuid, 1,"
    " decode(lpad('0', 64, '0'), 'hex'), now() + interval '30 days');\n\\endif\n"
)
METADATA = """'{"ip": "127.0.0.1", "user_agent": "bench", "request_id": "0", "session_id": "0"}'"""


def _filled(statement: str, *values: str) -> str:
    """The statement with expressions in place of $1, $2 and so on."""
    return re.sub(r"\$(\d+)", lambda found: values[int(found[1]) - 1], statement) + ";\n"


def _scripts(users: int) -> dict[str, str]:
    hashed = "decode(lpad(to_hex(:{}::bigint), 64, '0'), 'hex')"
    return {
        "get-user": ROW + _filled(sql.FIND, "ARRAY[:id::integer]"),
        "first-page": _filled(sql.PAGE, "10", "0"),
        "deep-page": _filled(sql.PAGE, "10", str((users // 20 - 1) * 10)),
        "refresh": OWN_SESSION
        + _filled(
            sql.ROTATE,
            "md5(:run::text || :client_id::text)::uuid",
            "1",
            hashed.format("old"),
            hashed.format("generation"),
            "now()",
            "(now() + interval '1 day')",
        ),
        "patch-user": ROW
        + "BEGIN;\n"
        + _filled(sql.LOCK, ":id")
        + _filled(
            sql.UPDATE, ":id", "'Renamed ' || :client_id::text", "'user' || :id::text || '@bench.example.com'", "false"
        )
        + _filled(sql.AUDIT, ":id", "'UPDATE_USER'", "'users'", ":id", METADATA)
        + "COMMIT;\n",
    }


def statements_per_second(dsn: str, operation: str, users: int, connections: int, seconds: float) -> float | None:
    """How often a second pgbench, with so many connections, does what the operation asks of PostgreSQL."""
    script = _scripts(users).get(operation)
    program = shutil.which("pgbench")
    if script is None or program is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        variables = ["-D", f"users={users}", "-D", "generation=0", "-D", f"run={time.time_ns()}"]
        options = ["-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(max(1, round(seconds)))]
        ran = subprocess.run(
            [program, *options, *variables, "-f", str(Path(file.name)), dsn],
            capture_output=True,
            text=True,
            check=False,
        )
    if found := re.search(r"tps = ([\d.]+)", ran.stdout):
        return float(found[1])
    raise SystemExit(f"pgbench failed on {operation}:\n{ran.stdout}{ran.stderr}")


def hash_seconds() -> float:
    """How long one bcrypt hash takes: the shortest of several, since others may be using the cores."""
    salt, shortest = bcrypt.gensalt(ROUNDS), float("inf")
    for _ in range(8):
        started = time.perf_counter()
        bcrypt.hashpw(PASSWORD.encode(), salt)
        shortest = min(shortest, time.perf_counter() - started)
    return shortest
