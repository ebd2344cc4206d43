"""`latchkey users import` against a real database."""

from pathlib import Path
from typing import Any

from tests.kit.import_files import Run, Write, accounts, entries
from tests.kit.stored import Sql


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
