"""`latchkey users` against a real database."""

import hashlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from tests.kit import plain_http
from tests.kit.command_line import Result, latchkey
from tests.kit.ports import free_port
from tests.kit.server import environment

Run = Callable[..., Result]
HASH = "$2b$04$abcdefghijklmnopqrstuuu3lWuXkXoL1Lr4YbN1x0cI6pWmXy1bO"


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey users …` on the test's database, without any secret."""
    return partial(latchkey, "users", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


def add_user(sql: Any, email: str, *, name: str = "Siam", deleted: bool = False, sessions: int = 0) -> int:
    """Makes a user with live sessions, and one that has ended."""
    user_id: int = sql.execute(
        "INSERT INTO users (name, email, password, is_deleted, deleted_at, created_at)"
        " VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END, '2024-05-06 07:08:09.123+02') RETURNING id",
        [name, email, HASH, deleted, deleted],
    ).fetchone()["id"]
    for number in range(sessions + 1):
        sql.execute(
            "INSERT INTO sessions (id, user_id, token_hash, expires_at, ended_at) VALUES"
            " (gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), now() + interval '1 day',"
            " CASE WHEN %s THEN now() END)",
            [user_id, number == sessions],
        )
    return user_id


def live_sessions(sql: Any, user_id: int) -> int:
    """How many sessions of the user have not ended."""
    count: int = sql.execute(
        "SELECT count(*) AS n FROM sessions WHERE user_id = %s AND ended_at IS NULL", [user_id]
    ).fetchone()["n"]
    return count


def audit_rows(sql: Any) -> list[tuple[str, int | None, int]]:
    """Action, actor and entity of every audit row, oldest first."""
    rows = sql.execute("SELECT action, actor_id, entity_id FROM audit_logs ORDER BY id").fetchall()
    return [(row["action"], row["actor_id"], row["entity_id"]) for row in rows]


def test_lists_and_shows(run: Run, sql: Any) -> None:
    """Live or deleted users, page by page, for people and for programs."""
    first = add_user(sql, "first@example.com", sessions=2)
    second = add_user(sql, "second@example.com", name="B\x1b[31mred 名")
    gone = add_user(sql, "gone@example.com", deleted=True)

    listed = run("list", "--json").json()
    assert [user["id"] for user in listed["users"]] == [second, first]
    assert {key: listed[key] for key in ("page", "limit", "total")} == {"page": 1, "limit": 20, "total": 2}
    expected = {
        "id": first,
        "name": "Siam",
        "email": "first@example.com",
        "role": "user",
        "is_deleted": False,
        "created_at": "2024-05-06T05:08:09.123Z",
        "deleted_at": None,
        "email_verified_at": None,
        "suspended_at": None,
        "suspended_until": None,
        "suspended_reason": None,
        "live_sessions": 2,
    }
    assert listed["users"][1] == expected
    assert run("show", "FIRST@example.com", "--json").json() == expected
    assert [user["id"] for user in run("list", "--limit", "1", "--page", "2", "--json").json()["users"]] == [first]

    deleted = run("list", "--deleted", "--json").json()
    assert [(user["id"], user["deleted_at"][-1]) for user in deleted["users"]] == [(gone, "Z")]

    table = run("list").out.splitlines()
    assert table[0].split() == ["id", "name", "email", "role", "created_at", "live_sessions"]
    # Columns are aligned, and a name taken over with control characters in it cannot act on the terminal.
    assert table[1].index("second@") == table[2].index("first@") == table[0].index("email")
    assert "B\\x1b[31mred 名" in table[1]
    assert table[3] == "2 of 2 live users, page 1"
    assert "is_deleted         yes" in run("show", str(gone)).out


def test_unknown_users_are_told_apart(run: Run, sql: Any) -> None:
    """One message on standard error, exit code 1."""
    for deleted in (True, True):
        add_user(sql, "twice@example.com", deleted=deleted)
    assert run("show", "4711").refusal() == "latchkey: there is no user 4711"
    assert run("delete", "99999999999", "--yes").refusal() == "latchkey: there is no user 99999999999"
    assert "no user with the address nobody@example.com" in run("show", "nobody@example.com").refusal()
    assert "neither the id nor the address" in run("reset-link", "nobody").refusal()
    assert "ids 2, 1" in run("show", "twice@example.com").refusal()


def test_deletes_and_restores(run: Run, sql: Any) -> None:
    """Deleting ends every session; restoring needs the address; each is one audit row without an actor."""
    user = add_user(sql, "siam@example.com", sessions=2)

    assert "add --yes" in run("delete", str(user)).refusal()
    assert live_sessions(sql, user) == 2
    deleted = run("delete", "siam@example.com", "--yes", "--json").json()
    assert (deleted["id"], deleted["is_deleted"], deleted["live_sessions"]) == (user, True, 0)
    assert live_sessions(sql, user) == 0
    assert run("delete", str(user), "--yes").refusal() == f"latchkey: user {user} (siam@example.com) is deleted"

    successor = add_user(sql, "Siam@example.com")
    refusal = run("restore", str(user)).refusal()
    assert f"user {successor} has its address now" in refusal
    assert re.search("is_deleted +yes", run("delete", str(successor), "--yes").out)
    restored = run("restore", str(user), "--json").json()
    assert (restored["id"], restored["is_deleted"], restored["live_sessions"]) == (user, False, 0)
    assert run("restore", str(user)).refusal().endswith("is not deleted")

    assert audit_rows(sql) == [
        ("DELETE_USER", None, user),
        ("DELETE_USER", None, successor),
        ("RESTORE_USER", None, user),
    ]


def test_restores_whoever_deleted_themselves(run: Run, sql: Any) -> None:
    """However long ago, and whatever session did it."""
    user = add_user(sql, "siam@example.com", deleted=True)
    sql.execute("UPDATE users SET deleted_by_session = gen_random_uuid(), deleted_at = now() - interval '1 year'")
    assert run("restore", str(user), "--json").json()["is_deleted"] is False


@pytest.mark.parametrize(("typed", "code"), [("y", 0), ("n", 1)])
def test_asks_before_deleting(database: str, sql: Any, tmp_path: Path, typed: str, code: int) -> None:
    """It asks on the terminal, and the question does not get into the JSON."""
    user = add_user(sql, "siam@example.com", sessions=1)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "latchkey", "users", "delete", "siam@example.com", "--json"],
        cwd=tmp_path,
        env=environment(database, free_port()),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{typed}\n".encode())
    out, err = process.communicate(timeout=30)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == code, err
    assert f"Delete user {user} (siam@example.com)" in err
    assert live_sessions(sql, user) == code
    assert out.startswith("{") == (code == 0)


def test_makes_reset_links(run: Run, sql: Any) -> None:
    """The link's token is in the database as its hash, for 15 minutes; a newer link ends it."""
    user = add_user(sql, "siam@example.com")
    link = run(
        "reset-link", "SIAM@example.com", "--json", ENVIRONMENT="production", PUBLIC_URL="https://a.example.com/x"
    )
    made = link.json()
    assert (made["user_id"], made["email"], made["expires_in_seconds"]) == (user, "siam@example.com", 900)
    address, _, token = made["url"].partition("#token=")
    assert address == "https://a.example.com/x/reset-password"

    def stored() -> tuple[str, float]:
        row = sql.execute(
            "SELECT reset_token, extract(epoch FROM reset_token_expires - now())::float8 AS seconds FROM users"
        ).fetchone()
        return row["reset_token"], row["seconds"]

    assert stored()[0] == hashlib.sha256(token.encode()).hexdigest()
    assert 840 < stored()[1] <= 900

    newer = run("reset-link", str(user), PORT="3456")
    assert newer.out.startswith("http://localhost:3456/reset-password#token=")
    assert stored()[0] == hashlib.sha256(newer.out.strip().partition("#token=")[2].encode()).hexdigest()
    assert audit_rows(sql) == [("FORGOT_PASSWORD", None, user)] * 2

    assert "PUBLIC_URL is not set" in run("reset-link", str(user), ENVIRONMENT="production").refusal()
    assert run("delete", str(user), "--yes").code == 0
    assert run("reset-link", str(user)).refusal().endswith("is deleted")


def test_needs_a_database_of_this_version(empty_database: str, tmp_path: Path) -> None:
    """Named by DATABASE_URL or by `latchkey dev`, there, and migrated."""
    users = partial(latchkey, "users", "list", directory=tmp_path)
    assert ".latchkey/dsn does not exist" in users().refusal()
    assert "run latchkey migrate" in users(dsn=empty_database).refusal()
    unreachable = users(dsn="postgresql://u:hunter2@127.0.0.1:1/x").refusal()
    assert "the database cannot be used" in unreachable
    assert "hunter2" not in unreachable

    (tmp_path / ".latchkey").mkdir()
    (tmp_path / ".latchkey" / "dsn").write_text(f"{empty_database}\n")
    lines = users(ENVIRONMENT="").refusal().splitlines()
    assert lines[0] == "latchkey: DATABASE_URL is not set; using the development database of .latchkey/dsn"
    assert "run latchkey migrate" in lines[1]
    assert latchkey("migrate", directory=tmp_path, dsn=empty_database).code == 0
    assert users(ENVIRONMENT="").out.splitlines()[-1] == "0 of 0 live users, page 1"


def test_creates_with_a_password(run: Run, sql: Any) -> None:
    """The operator of a closed service creates the accounts: by the rules of registration, without an actor."""
    made = run("create", "--name", " Siam ", "--email", "Siam@Example.com", "--json", answer="Secret123!\n").json()
    assert (made["name"], made["email"], made["live_sessions"]) == ("Siam", "siam@example.com", 0)
    assert audit_rows(sql) == [("CREATE_USER", None, made["id"])]
    stored = sql.execute("SELECT password FROM users").fetchone()["password"]
    assert bcrypt.checkpw(b"Secret123!", stored.encode())

    assert "already" in run("create", "--name", "Siam", "--email", "siam@example.com", answer="Secret123!\n").refusal()
    refusal = run("create", "--name", "\u200b", "--email", "x", answer="password1\n").refusal()
    assert refusal.index("name ") < refusal.index("email ") < refusal.index("password ")
    assert "hunter2" not in run("create", "--name", "Siam", "--email", "a@example.com", answer="hunter2\n").refusal()
    nothing = run("create", "--name", "Siam", "--email", "a@example.com", answer="").refusal()
    assert "password must be at least 8" in nothing
    assert sql.execute("SELECT count(*) AS n FROM users").fetchone()["n"] == 1


def test_invites(run: Run, sql: Any, start: Callable[..., Any]) -> None:
    """An invited user chooses a password by a mailed link, which verifies the address. Before that nobody can sign in.

    Without SMTP_URL, invitations fail.
    """
    invite = ("create", "--name", "Siam", "--email", "siam@example.com", "--invite")
    assert "SMTP_URL" in run(*invite, ENVIRONMENT="production").refusal()
    user = run(*invite, "--json", PASSWORD_MIN_LENGTH="72").json()  # noqa: S106 a length
    server = start(REGISTRATION="closed", REQUIRE_VERIFIED_EMAIL="true")
    token = server.reset_token_mailed_to("siam@example.com")
    with plain_http.client(base_url=server.url) as client:
        client.headers["X-CSRF-Token"] = client.get("/auth/csrf-token").json()["csrfToken"]
        chosen = client.post("/auth/reset-password", json={"token": token, "newPassword": "Secret123!"})
        assert chosen.status_code == 200, chosen.text
        signed_in = client.post("/auth/login", json={"email": "siam@example.com", "password": "Secret123!"})
    assert signed_in.json()["data"]["user"]["id"] == user["id"]
    assert audit_rows(sql)[0] == ("CREATE_USER", None, user["id"])


def test_takes_an_address_for_proved(run: Run, sql: Any) -> None:
    """An operator verifies an address: one audit row, and the account shows it."""
    user = add_user(sql, "siam@example.com")
    assert run("show", str(user), "--json").json()["email_verified_at"] is None
    for _ in range(2):
        assert run("verify", "Siam@Example.com", "--json").json()["email_verified_at"] is not None
    assert audit_rows(sql) == [("VERIFY_EMAIL", None, user)]
    add_user(sql, "gone@example.com", deleted=True)
    assert "is deleted" in run("verify", "gone@example.com").refusal()


def test_tells_who_has_to_prove_their_address(run: Run, sql: Any) -> None:
    """An account made while REQUIRE_VERIFIED_EMAIL is on gets the link that registration sends."""
    arguments = ("create", "--name", "Siam", "--email", "siam@example.com")
    run(*arguments, answer="Secret123!\n", REQUIRE_VERIFIED_EMAIL="true")
    assert [row["kind"] for row in sql.execute("SELECT kind FROM mail_outbox")] == ["verify-email"]
