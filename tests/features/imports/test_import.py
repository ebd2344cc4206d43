"""`latchkey users import` against a real database."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kit.import_files import Run, Write, accounts, entries
from tests.kit.ports import free_port
from tests.kit.server import environment
from tests.kit.stored import Sql
from tests.kit.waiting import SECONDS


def test_imports_and_reports_each_line(run: Run, write: Write, own_sql: Sql, tmp_path: Path) -> None:
    first: dict[str, Any] = {
        "email": "Ann@Example.com",
        "name": " Ann ",
        "verified": True,
        "created_at": "2024-05-06T07:08:09Z",
        "id": 77,
        "owner": {"theme": "dark"},
        "private": {"plan": "pro"},
    }
    file = write(first, *accounts([2]))
    report = tmp_path / "report.ndjson"
    counts = run("import", str(file), "--report", str(report), "--json").json()
    assert counts == {"imported": 2, "skipped": 0, "refused": 0, "first_line": 1, "dry_run": False}
    ann, other = own_sql.execute("SELECT * FROM users ORDER BY id").fetchall()
    assert entries(report) == [{"line": 1, "id": ann["id"], "source_id": 77}, {"line": 2, "id": other["id"]}]
    assert (ann["email"], ann["name"], ann["role"]) == ("ann@example.com", "Ann", "user")
    assert ann["created_at"].isoformat() == "2024-05-06T07:08:09+00:00"
    assert ann["email_verified_at"] is not None
    assert other["email_verified_at"] is None
    assert own_sql.execute("SELECT * FROM user_metadata").fetchall() == [
        {"user_id": ann["id"], "owner": {"theme": "dark"}, "public": {}, "private": {"plan": "pro"}}
    ]
    audit = own_sql.execute("SELECT * FROM audit_logs").fetchall()
    assert [(row["action"], row["actor_id"], row["entity_type"], row["entity_id"]) for row in audit] == [
        ("IMPORT_USERS", None, "imports", None)
    ]
    progress = own_sql.execute("SELECT * FROM imports").fetchone()
    assert progress is not None
    assert audit[0]["metadata"] == {"count": 2, "fileSha256": progress["file_sha256"].hex()}
    assert progress["next_line"] == 3
    assert progress["finished_at"] is not None
    assert "imported before" in run("import", str(file)).out


def test_each_bad_line_is_reported_and_the_rest_is_imported(
    run: Run, write: Write, own_sql: Sql, tmp_path: Path
) -> None:
    good = accounts(range(5))
    file = write(
        {"email": "no address", "name": "Ann"},
        good[0],
        {"email": "ann@example.com", "name": "\u200b"},
        {"name": "Ann"},
        "{not JSON}",
        good[1],
        {"email": "ann@example.com", "name": "Ann", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"},
        "",
        {"email": "ann@example.com", "name": "Ann", "owner": {"text": "x" * 4096}},
        {"email": "ann@example.com", "name": "Ann", "role": "admin", "created_at": "yesterday"},
        *good[2:],
    )
    report = tmp_path / "report.ndjson"
    counts = run("import", str(file), "--report", str(report), "--json").json()
    assert (counts["imported"], counts["skipped"], counts["refused"]) == (5, 0, 7)
    bad = {entry["line"]: entry["field"] for entry in entries(report) if "message" in entry}
    assert bad == {1: "email", 3: "name", 4: "email", 5: None, 7: "password_hash", 9: "owner", 10: "created_at"}
    assert [entry["line"] for entry in entries(report)] == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13]
    assert own_sql.execute("SELECT 1 FROM users").rowcount == 5
    shown = run("import", str(write({"email": "x", "name": "Ann"}, name="other.ndjson")))
    assert "line 1: email must be a valid e-mail address" in shown.err


METADATA: dict[str, Any] = {
    "owner at its bound": {"owner": {"text": "x" * (4096 - 11)}},
    "public at its bound": {"public": {"text": "x" * (8192 - 11)}},
    "a backslash before u0000": {"private": {"text": "\\u0000"}},
}
BAD_METADATA: dict[str, Any] = {
    "owner too long": ("owner", {"owner": {"text": "x" * (4096 - 10)}}),
    "both together too long": ("private", {"public": {"text": "x" * 4096}, "private": {"text": "x" * 4096}}),
    "no object": ("public", {"public": [1]}),
    "U+0000": ("private", {"private": {"text": "\0"}}),
    "a lone surrogate": ("private", {"private": {"text": "\ud800"}}),
    "infinity": ("private", {"private": {"number": float("inf")}}),
}


def test_metadata_have_bounds_and_what_postgresql_cannot_store_is_refused(
    run: Run, write: Write, own_sql: Sql, tmp_path: Path
) -> None:
    rows = [fields for _, fields in BAD_METADATA.values()]
    good = [METADATA[name] for name in METADATA]
    file = write(
        *({"email": f"bad{number}@example.com", "name": "Ann", **fields} for number, fields in enumerate(rows)),
        *({"email": f"good{number}@example.com", "name": "Ann", **fields} for number, fields in enumerate(good)),
    )
    report = tmp_path / "report.ndjson"
    counts = run("import", str(file), "--report", str(report), "--json").json()
    assert (counts["imported"], counts["refused"]) == (len(good), len(rows))
    assert [entry["field"] for entry in entries(report) if "message" in entry] == [
        name for name, _ in BAD_METADATA.values()
    ]
    stored = own_sql.execute("SELECT owner, public, private FROM user_metadata ORDER BY user_id").fetchall()
    assert [{k: v for k, v in row.items() if v} for row in stored] == good


def test_taken_addresses_are_skipped(run: Run, write: Write, own_sql: Sql, tmp_path: Path) -> None:
    """Those of live accounts and of earlier lines, in any case; not those of deleted accounts."""
    own_sql.execute(
        "INSERT INTO users (name, email, password, is_deleted) VALUES"
        " ('Ann', 'user1@example.com', 'x', false), ('Ben', 'user2@example.com', 'x', true)"
    )
    file = write(*accounts([1, 2, 3]), {"email": "USER3@example.com", "name": "Again"})
    report = tmp_path / "report.ndjson"
    for mode in (["--dry-run"], []):
        counts = run("import", str(file), "--report", str(report), "--json", *mode).json()
        assert (counts["imported"], counts["skipped"], counts["refused"]) == (2, 2, 0)
        skipped = {entry["line"]: entry["message"] for entry in entries(report) if entry.get("skipped")}
        assert skipped == {
            1: "is the address of another account",
            4: "is the address of an account on an earlier line",
        }
    names = own_sql.execute("SELECT name FROM users WHERE NOT is_deleted ORDER BY email").fetchall()
    assert [row["name"] for row in names] == ["Ann", "User 2", "User 3"]


def test_a_dry_run_writes_nothing(run: Run, write: Write, own_sql: Sql) -> None:
    out = run("import", str(write(*accounts([1, 2]), {"name": "Ann"})), "--dry-run").out
    assert out == "2 would be imported, 0 skipped, 1 refused\n"
    for table in ("users", "user_metadata", "imports", "audit_logs"):
        assert own_sql.execute(f"SELECT 1 FROM {table}").rowcount == 0


def test_keeps_ids_and_moves_the_sequence(run: Run, write: Write, own_sql: Sql, tmp_path: Path) -> None:
    own_sql.execute("INSERT INTO users (id, name, email, password) VALUES (70, 'Ann', 'ann@example.com', 'x')")
    rows = [row | {"id": number} for number, row in zip((500, 70, 3), accounts([1, 2, 3]), strict=True)]
    file = write(*rows, *accounts([4]))
    report = tmp_path / "report.ndjson"
    for mode in (["--dry-run"], []):
        counts = run("import", str(file), "--keep-ids", "--report", str(report), "--json", *mode).json()
        assert (counts["imported"], counts["skipped"], counts["refused"]) == (2, 1, 1)
        problems = {e["line"]: (e["field"], e["message"]) for e in entries(report) if "message" in e}
        assert problems == {2: ("id", "is the id of another account"), 4: ("id", "is missing: --keep-ids needs it")}
    ids = own_sql.execute("SELECT id FROM users ORDER BY id").fetchall()
    assert [row["id"] for row in ids] == [3, 70, 500]
    made = own_sql.execute("INSERT INTO users (name, email, password) VALUES ('B', 'b@example.com', 'x') RETURNING id")
    assert made.fetchall() == [{"id": 501}]


def test_csv(run: Run, own_sql: Sql, tmp_path: Path) -> None:
    """With the names of NDJSON in its first line. Empty cells are absent fields."""
    file = tmp_path / "users.csv"
    file.write_bytes(
        b"\xef\xbb\xbfname,email,verified,id,owner,created_at\r\n"
        b'"Lee, Ann",ann@example.com,true,7,"{""theme"": ""dark""}",2024-05-06 07:08:09+02\r\n'
        b'"two\nlines",ben@example.com,,,,\r\n'
        b"Cleo,cleo@example.com,maybe,,,\r\n"
        b"Dan,dan@example.com,f,,no JSON,\r\n"
        b"Eve\r\n"
        b"\xff,fay@example.com,,,,\r\n"
        b"Gus,gus@example.com,,,{},\r\n"
    )
    report = tmp_path / "report.ndjson"
    counts = run("import", str(file), "--report", str(report), "--json").json()
    assert (counts["imported"], counts["refused"]) == (2, 5)
    problems = {entry["line"]: entry["field"] for entry in entries(report) if "message" in entry}
    assert problems == {3: "name", 5: "verified", 6: "owner", 7: None, 8: "name"}
    ann, gus = own_sql.execute("SELECT * FROM users ORDER BY id").fetchall()
    assert (ann["name"], gus["name"]) == ("Lee, Ann", "Gus")
    assert ann["created_at"].isoformat() == "2024-05-06T05:08:09+00:00"
    assert ann["email_verified_at"] is not None


def test_other_bytes_are_refused_while_an_import_is_unfinished(run: Run, write: Write, own_sql: Sql) -> None:
    own_sql.execute("INSERT INTO imports (file_sha256, next_line) VALUES (sha256('other'), 5001)")
    file = str(write(*accounts([1])))
    assert "--restart" in run("import", file).refusal()
    assert own_sql.execute("SELECT 1 FROM users").rowcount == 0
    assert run("import", file, "--restart", "--json").json()["imported"] == 1
    finished = own_sql.execute("SELECT next_line, finished_at FROM imports").fetchall()
    assert [(row["next_line"], row["finished_at"] is not None) for row in finished] == [(2, True)]
    again = run("import", file, "--restart", "--json").json()
    assert (again["imported"], again["skipped"]) == (0, 1)


def test_a_report_never_replaces_the_file(run: Run, write: Write) -> None:
    file = write(*accounts([1]))
    before = file.read_text()
    assert "overwritten" in run("import", str(file), "--report", str(file)).refusal()
    assert file.read_text() == before


def test_a_sequence_that_lags_behind_is_named(run: Run, write: Write, own_sql: Sql, tmp_path: Path) -> None:
    own_sql.execute("INSERT INTO users (id, name, email, password) VALUES (1, 'Ann', 'ann@example.com', 'x')")
    report = tmp_path / "report.ndjson"
    counts = run("import", str(write(*accounts([1, 2]))), "--report", str(report), "--json").json()
    assert (counts["imported"], counts["skipped"]) == (1, 1)
    assert "latchkey doctor" in entries(report)[0]["message"]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_shows_its_progress_on_a_terminal(write: Write, database: str, tmp_path: Path, options: list[str]) -> None:
    file = write(*accounts(range(10)))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "latchkey", "users", "import", str(file), *options],
        cwd=tmp_path,
        env=environment(database, free_port()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    out, _ = process.communicate(timeout=SECONDS)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert "\r10 lines read, 10 accounts imported" in shown
    assert out.endswith("imported, 0 skipped, 0 refused\n")
