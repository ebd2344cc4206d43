"""`latchkey users export`: whole files, which an import takes."""

import json
import stat
from pathlib import Path
from typing import Any

import psycopg

from tests.kit.command_line import spawn
from tests.kit.import_files import Run, Write, accounts
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

HASH = "$2b$04$abcdefghijklmnopqrstuuu3lWuXkXoL1Lr4YbN1x0cI6pWmXy1bO"


def exported(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_what_was_exported_can_be_imported(run: Run, write: Write, own_sql: Sql, tmp_path: Path) -> None:
    rows = [
        {
            "id": 7,
            "email": "ann@example.com",
            "name": "Ann 名",
            "verified": True,
            "created_at": "2024-05-06T07:08:09.000Z",
            "password_hash": HASH,
            "owner": {"theme": "dark"},
            "private": {"plan": "pro"},
        },
        {
            "id": 9,
            "email": "ben@example.com",
            "name": "Ben",
            "verified": False,
            "created_at": "2024-05-06T07:08:09.000Z",
        },
    ]
    assert run("import", "--keep-ids", str(write(*rows))).code == 0
    own_sql.execute(
        "INSERT INTO users (name, email, password, is_deleted) VALUES ('Gone', 'gone@example.com', 'x', true)"
    )
    file = tmp_path / "export.ndjson"
    file.write_text("older")
    file.chmod(0o644)
    assert run("export", str(file), "--json").json() == {"exported": 2, "suspended": 0}
    assert exported(file) == [{name: value for name, value in row.items() if name != "password_hash"} for row in rows]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert run("export", str(file), "--hashes").out == "2 accounts exported\n"
    assert exported(file) == rows
    own_sql.execute("DELETE FROM users")
    assert run("import", "--keep-ids", str(file), "--json").json()["imported"] == 2
    again = tmp_path / "again.ndjson"
    run("export", str(again), "--hashes")
    assert again.read_bytes() == file.read_bytes()
    assert own_sql.execute("SELECT 1 FROM audit_logs WHERE action <> 'IMPORT_USERS'").rowcount == 0


def test_tells_of_suspended_accounts_and_leaves_out_broken_hashes(
    run: Run, write: Write, own_sql: Sql, tmp_path: Path
) -> None:
    run("import", str(write(*accounts([1, 2]))))
    own_sql.execute("UPDATE users SET password = 'broken', suspended_at = now() WHERE email = 'user1@example.com'")
    done = run("export", str(tmp_path / "export.ndjson"), "--hashes")
    assert done.err == "Suspended among them: 1. The file does not say so: an import lets them sign in.\n"
    assert all("password_hash" not in row for row in exported(tmp_path / "export.ndjson"))


def test_no_short_file_passes_for_a_whole_one(own_sql: Sql, run: Run, database: str, tmp_path: Path) -> None:
    """Several pages, killed or cut off between them: the file of before stays."""
    own_sql.execute(
        "INSERT INTO users (name, email, password) SELECT 'Ann', n || '@example.com', 'x' FROM generate_series(1, 4500) n"
    )
    file = tmp_path / "export.ndjson"
    file.write_text("older")
    with psycopg.connect(database) as blocker:
        blocker.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        process = spawn("users", "export", "export.ndjson", directory=tmp_path, dsn=database)
        eventually(
            lambda: bool(own_sql.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone()), "the export waits"
        )
        process.kill()
        blocker.rollback()
    assert file.read_text() == "older"
    assert run("export", str(file), "--json").json()["exported"] == 4500
    assert [row["email"] for row in exported(file)] == [f"{n}@example.com" for n in range(1, 4501)]
    assert "latchkey: " in run("export", str(tmp_path / "absent" / "export.ndjson")).refusal()


def test_a_failed_export_leaves_nothing_behind(run: Run, own_sql: Sql, tmp_path: Path) -> None:
    own_sql.execute("ALTER TABLE user_metadata DROP COLUMN private")
    assert run("export", "export.ndjson").code == 1
    assert list(tmp_path.iterdir()) == []
