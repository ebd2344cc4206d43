"""`latchkey audit list` against a real database."""

from functools import partial
from pathlib import Path

import psycopg

from tests.kit.command_line import latchkey

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
    assert "ip=192.0.2.1 userAgent=Tester/1.0 (\\x1b[2J)" in table[4]
    assert "LOGIN_FAILED" in table[3]

    unknown = listed("--action", "LOGN").refusal()
    assert "unknown action 'LOGN'" in unknown
    assert "LOGIN_FAILED" in unknown
