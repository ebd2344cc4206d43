"""`latchkey audit` against a real database."""

import json
import signal
import stat
from functools import partial
from pathlib import Path

import psycopg

from tests.kit.command_line import latchkey, spawn
from tests.kit.waiting import eventually

ROWS = """
INSERT INTO users (name, email, password) VALUES ('A', 'a@example.com', ''), ('B', 'b@example.com', '');
INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata, created_at) VALUES
    (1, 'LOGIN', 'users', 1, '{"ip": "192.0.2.1", "userAgent": "Tester/1.0 (\\u001b[2J)"}', '2024-05-06 07:08:09+00'),
    (NULL, 'LOGIN_FAILED', 'users', 2, NULL, '2024-05-06 07:08:10.5+00'),
    (1, 'DELETE_USER', 'users', 2, '{}', '2024-05-06 07:08:11+00'),
    (2, 'LOGIN', 'users', 2, '{}', '2024-05-06 07:08:12+00');
"""


def test_lists_what_was_done(database: str, tmp_path: Path) -> None:
    """Newest first: by or about a user, of one action, at most so many; as text and as JSON."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(ROWS)
    listed = partial(latchkey, "audit", "list", directory=tmp_path, dsn=database)

    rows = listed("--json").json()
    assert [row["id"] for row in rows] == [4, 3, 2, 1]
    assert rows[2] == {
        "id": 2,
        "actor_id": None,
        "action": "LOGIN_FAILED",
        "entity_type": "users",
        "entity_id": 2,
        "metadata": {},
        "created_at": "2024-05-06T07:08:10.500Z",
    }
    assert [row["id"] for row in listed("--user", "1", "--json").json()] == [3, 1]
    assert listed("--user", "a@example.com").out == listed("--user", "1").out
    assert "there is no user with the address c@example.com" in listed("--user", "c@example.com").refusal()
    narrow = listed("--user", "2", "--action", "login", "--limit", "1", "--json")
    assert [row["id"] for row in narrow.json()] == [4]

    table = listed().out.splitlines()
    assert table[0].split() == ["id", "created_at", "action", "actor_id", "entity_id", "metadata"]
    assert 'ip=192.0.2.1 userAgent="Tester/1.0 (\\u001b[2J)"' in table[4]
    assert "LOGIN_FAILED" in table[3]

    unknown = listed("--action", "LOGN").refusal()
    assert "unknown action 'LOGN'" in unknown
    assert "LOGIN_FAILED" in unknown

    assert [row["id"] for row in listed("--ip", "192.0.2.1", "--json").json()] == [4 - 3]
    since = listed("--from", "2024-05-06T07:08:11Z", "--to", "2024-05-06T07:08:11Z", "--json")
    assert [row["id"] for row in since.json()] == [3]
    assert [row["id"] for row in listed("--actor", "1", "--entity", "2", "--json").json()] == [3]
    assert "--api-key needs --from" in listed("--api-key", "abc").refusal()
    assert listed("--api-key", "abc", "--from", "2024-01-01T00:00:00Z", "--json").json() == []
    assert "--from must be a time" in listed("--from", "yesterday").refusal()


def test_follows_what_is_done(database: str, tmp_path: Path) -> None:
    """Rows come as they are committed, oldest first, one with a smaller id that is committed later, too. Ctrl-C is the
    usual end."""
    late = "INSERT INTO audit_logs (id, action, entity_type) VALUES (90, 'LOGOUT', 'users')"
    with psycopg.connect(database, autocommit=True) as connection, psycopg.connect(database) as slow:
        connection.execute(ROWS)
        slow.execute(late)
        following = spawn("audit", "list", "--follow", "--json", "--limit", "2", directory=tmp_path, dsn=database)

        def ids() -> list[int]:
            lines = [line for line in following.printed().splitlines() if line.startswith("{")]
            return [json.loads(line)["id"] for line in lines]

        eventually(lambda: ids() == [3, 4], "the newest two")
        connection.execute("INSERT INTO audit_logs (id, action, entity_type) VALUES (100, 'LOGIN', 'users')")
        eventually(lambda: ids() == [3, 4, 100], "the new row")
        slow.commit()
        eventually(lambda: ids() == [3, 4, 100, 90], "the row that was committed later")
        assert following.stop(signal.SIGINT) == 0
        assert "Traceback" not in following.printed()


def test_exports_to_a_file(database: str, tmp_path: Path) -> None:
    """That only its owner can read, and that is whole or not there. The export is in the log itself."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(ROWS)
    run = partial(latchkey, "audit", directory=tmp_path, dsn=database)
    file = tmp_path / "audit.ndjson"
    assert "bytes written to" in run("export", str(file), "--action", "LOGIN").out
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [4, 1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("list", "--limit", "1", "--json").json()[0]["action"] == "EXPORT_AUDIT"
    run("export", str(tmp_path / "audit.csv"), "--format", "csv")
    assert (tmp_path / "audit.csv").read_text().startswith("id,actorId,action,")
    assert "No such file" in run("export", str(tmp_path / "nowhere" / "audit.csv")).refusal()
