"""An import that is killed, or runs twice at once, imports each line exactly once."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings

from tests.kit.command_line import spawn
from tests.kit.import_files import Run, Write, accounts, entries
from tests.kit.ports import free_port
from tests.kit.server import environment
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

ROWS = 10_500
"""Three transactions."""
# `make test-long` imports a million rows, and the usual tests a hundredth of that.
MANY = 1_000_000 if settings.get_current_profile_name() == "long" else 10_000
MEMORY_MAX_KB = 200 * 1024


def waits_for_a_table(sql: Sql) -> bool:
    """Tells whether a transaction waits for a table's lock."""
    return bool(
        sql.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    )


def counted(sql: Sql) -> int:
    """The sum of the counts in the audit rows of imports."""
    row = sql.execute("SELECT sum((metadata->>'count')::int) AS n FROM audit_logs WHERE action = 'IMPORT_USERS'")
    return int((row.fetchone() or {"n": 0})["n"] or 0)


# With user_metadata locked it is killed in the second batch, before anything of it is reported. With audit_logs locked
# it is killed at the end of the first one, which the report has by then.
@pytest.mark.parametrize(("table", "first_line"), [("user_metadata", 5001), ("audit_logs", 1)])
def test_goes_on_exactly_once_after_sigkill(
    run: Run, write: Write, own_sql: Sql, database: str, tmp_path: Path, table: str, first_line: int
) -> None:
    rows: list[dict[str, Any] | str] = [*accounts(range(ROWS))]
    rows[7_000] = accounts([7_000], owner={"theme": "dark"})[0]
    bad = {3, 4_000, 5_000, 5_001, 6_000, 9_999, 10_400}
    for line in bad:
        rows[line - 1] = "{no JSON"
    write(*rows)
    command = ("import", "users.ndjson", "--report", "report.ndjson")
    with psycopg.connect(database) as blocker:
        blocker.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        process = spawn("users", *command, directory=tmp_path, dsn=database)
        eventually(lambda: waits_for_a_table(own_sql), "the import waits")
        process.kill()
        blocker.rollback()
    # By its id it is another file.
    assert "--restart" in run("import", str(write(*accounts([1]), name="other.ndjson"))).refusal()

    done = run(*command, "--json").json()
    assert done["first_line"] == first_line
    assert own_sql.execute("SELECT 1 FROM users").rowcount == ROWS - len(bad)
    assert own_sql.execute("SELECT 1 FROM user_metadata").rowcount == 1
    reported = entries(tmp_path / "report.ndjson")
    assert [entry["line"] for entry in reported] == list(range(1, ROWS + 1))
    assert {entry["line"] for entry in reported if "message" in entry} == bad
    assert counted(own_sql) == ROWS - len(bad)
    assert "imported before" in run(*command).out
    assert len(entries(tmp_path / "report.ndjson")) == ROWS


def test_two_at_once_import_once(run: Run, write: Write, own_sql: Sql, database: str, tmp_path: Path) -> None:
    write(*accounts(range(ROWS)))
    both = [spawn("users", "import", "users.ndjson", directory=tmp_path, dsn=database) for _ in range(2)]
    for process in both:
        process.process.wait()
    # One of them may have been overtaken, even at its last line.
    run("import", "users.ndjson")
    printed = [process.printed() for process in both]
    assert not any("Traceback" in each for each in printed), printed
    assert own_sql.execute("SELECT 1 FROM users").rowcount == ROWS
    assert counted(own_sql) == ROWS
    assert own_sql.execute("SELECT 1 FROM imports WHERE finished_at IS NOT NULL").rowcount == 1


MEASURES = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def test_many_rows_fit_into_little_memory(own_sql: Sql, database: str, tmp_path: Path) -> None:
    bad = {1 + place * (MANY // 7) for place in range(7)}
    with (tmp_path / "users.ndjson").open("w") as file:
        for number in range(1, MANY + 1):
            account = {"email": f"user{number}@example.com", "name": "" if number in bad else f"User {number}"}
            file.write(json.dumps(account | {"password_hash": f"$2b$10${'.' * 53}", "verified": True}) + "\n")
    # Through a small program: a process counts what its parent had in memory when it was started.
    command = [sys.executable, "-c", MEASURES, sys.executable, "-m", "latchkey", "users", "import", "users.ndjson"]
    done = subprocess.run(
        [*command, "--report", "report.ndjson"],
        cwd=tmp_path,
        env=environment(database, free_port()),
        capture_output=True,
        text=True,
        check=False,
    )
    *printed, used = done.stdout.splitlines()
    assert done.returncode == 0, done
    assert f"{MANY - 7} imported, 0 skipped, 7 refused" in "\n".join(printed)
    assert int(used) < MEMORY_MAX_KB
    with (tmp_path / "report.ndjson").open() as report:
        kinds = Counter("bad" if "message" in line else "good" for line in report)
    assert kinds == {"good": MANY - 7, "bad": 7}
    row = own_sql.execute("SELECT count(*) AS n FROM users").fetchone()
    assert row == {"n": MANY - 7}
