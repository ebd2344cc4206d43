"""Housekeeping: `latchkey purge`, what a server removes itself, and what `latchkey doctor` says about it."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import asyncpg
import psycopg
import pytest

from latchkey.features.email_verification.queries import request_change
from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey …` on the test's database."""
    return partial(latchkey, directory=tmp_path, dsn=database)


def add_user(sql: Sql, email: str, *, deleted_days_ago: float | None = None) -> int:
    """Makes a user, with a reset token, an e-mail token and an audit row of their own."""
    user_id: int = sql.execute(
        "INSERT INTO users (name, email, password, is_deleted, deleted_at) VALUES"
        " ('Siam', %s, 'x', %s::float IS NOT NULL, now() - make_interval(secs => %s * 86400)) RETURNING id",
        [email, deleted_days_ago, deleted_days_ago],
    ).fetchone()["id"]  # type: ignore[index]  # RETURNING gives its row
    sql.execute("INSERT INTO audit_logs (actor_id, action, entity_type, entity_id) VALUES (%s, 'LOGIN', 'users', %s)", [
        user_id, user_id
    ])  # fmt: skip
    return user_id


def add_sessions(sql: Sql, user_id: int, number: int, *, ended: str | None, expires: str = "30 days") -> None:
    """Makes sessions that end and expire so long from now."""
    sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, ended_at, expires_at)"
        " SELECT gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), now() + %s::interval,"
        " now() + %s::interval FROM generate_series(1, %s)",
        [user_id, ended, expires, number],
    )


def count(sql: Sql, table: str) -> int:
    """Returns the number of rows of a table."""
    return sql.execute(f"SELECT FROM {table}").rowcount


def test_removes_what_is_due_and_nothing_else(run: Run, sql: Sql) -> None:
    """An ended session's row for 48 hours, tokens and mails that live, every
    audit row and deleted account, unless the settings give them a time. More than one batch of it, too."""
    user_id = add_user(sql, "a@example.com")
    add_sessions(sql, user_id, 1201, ended="-49 hours")
    add_sessions(sql, user_id, 2, ended=None, expires="-49 hours")
    add_sessions(sql, user_id, 3, ended="-47 hours")
    add_sessions(sql, user_id, 4, ended=None, expires="-47 hours")
    add_sessions(sql, user_id, 5, ended=None)
    sql.execute(
        "UPDATE users SET reset_token = %s, reset_token_expires = now() - interval '25 hours'",
        [hashlib.sha256(b"old").hexdigest()],
    )
    sql.execute(
        "INSERT INTO email_tokens VALUES (%s, 'verify', 'a@example.com', sha256('a'), now() - interval '25 hours'),"
        " (%s, 'change', 'b@example.com', sha256('b'), now() - interval '23 hours')",
        [user_id, user_id],
    )
    sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, sent_at, failed_at) VALUES"
        " ('reset-link', '1@x', now() - interval '8 days', NULL), ('reset-link', '2@x', now() - interval '6 days', NULL),"
        " ('reset-link', '3@x', NULL, now() - interval '31 days'), ('reset-link', '4@x', NULL, now() - interval '29 days'),"
        " ('reset-link', '5@x', NULL, NULL)"
    )
    add_user(sql, "gone@example.com", deleted_days_ago=1000)
    sql.execute("UPDATE audit_logs SET created_at = now() - interval '1000 days'")

    finding = next(each for each in run("doctor", "--json").json()["findings"] if each["check"] == "housekeeping")
    assert finding["level"] == "ok"
    assert "1201 ended sessions" in finding["message"]
    assert run("purge", "--json").json() == {
        "removed": {
            "ended sessions": 1201,
            "expired sessions": 2,
            "reset tokens": 1,
            "e-mail tokens": 1,
            "sent mails": 1,
            "dead letters": 1,
        }
    }
    assert count(sql, "sessions") == 12
    assert sql.execute("SELECT purpose FROM email_tokens").fetchall() == [{"purpose": "change"}]
    kept = sql.execute("SELECT recipient FROM mail_outbox ORDER BY id").fetchall()
    assert [row["recipient"] for row in kept] == ["2@x", "4@x", "5@x"]
    assert count(sql, "users WHERE reset_token IS NULL") == 2
    assert count(sql, "audit_logs") == 2
    assert set(run("purge", "--json").json()["removed"].values()) == {0}
    assert "no rows are due" in run("doctor").out


def test_an_ended_session_stays_a_day_longer_than_its_tokens(run: Run, sql: Sql) -> None:
    """A token without its session's row would count as stolen.

    The stored expiry decides, whatever the setting says now. Sessions of version 0.1 have none, and their tokens lived
    a day.
    """
    user_id = add_user(sql, "a@example.com")
    for ended, token_expires, number in (
        ("-49 hours", "-25 hours", 1),
        ("-49 hours", "-23 hours", 2),
        ("-49 hours", "30 hours", 4),
        ("-95 hours", "-25 hours", 8),
        ("-97 hours", "-25 hours", 16),
        ("-97 hours", "-23 hours", 32),
    ):
        add_sessions(sql, user_id, number, ended=ended)
        sql.execute(
            "UPDATE sessions SET last_used_at = '2000-01-01', token_expires_at = now() + %s::interval"
            " WHERE last_used_at > '2000-01-01'",
            [token_expires],
        )

    def purged(hours: int) -> int:
        settings = {"REFRESH_TOKEN_HOURS": str(hours)}
        removed: int = run("purge", "--json", **settings).json()["removed"]["ended sessions"]
        return removed

    assert purged(72) == 16, "a token of 72 hours and a day: 96 hours after the end"
    assert purged(24) == 1 + 8
    assert count(sql, "sessions") == 2 + 4 + 32
    add_sessions(sql, user_id, 64, ended="-49 hours")
    assert purged(1) == 64


def test_old_audit_rows_and_deleted_accounts(run: Run, sql: Sql) -> None:
    """The account goes with everything of its own.

    Its audit rows stay without an actor. A recently deleted account can be restored.
    """
    keep = add_user(sql, "keep@example.com")
    old = add_user(sql, "old@example.com", deleted_days_ago=31)
    young = add_user(sql, "young@example.com", deleted_days_ago=29)
    add_sessions(sql, old, 1, ended="-1 hour")
    sql.execute(
        "INSERT INTO mail_outbox (kind, recipient, user_id) VALUES ('reset-link', 'old@example.com', %s)", [old]
    )
    sql.execute("UPDATE audit_logs SET created_at = now() - interval '91 days' WHERE actor_id = %s", [keep])
    settings = {"PURGE_DELETED_AFTER_DAYS": "30", "AUDIT_KEEP_DAYS": "90"}
    removed = run("purge", "--json", **settings).json()["removed"]
    assert (removed["deleted accounts"], removed["audit rows"]) == (1, 1)
    assert [row["id"] for row in sql.execute("SELECT id FROM users ORDER BY id")] == [keep, young]
    assert (count(sql, "sessions"), count(sql, "mail_outbox")) == (0, 0)
    rows = sql.execute("SELECT actor_id, entity_id FROM audit_logs ORDER BY id").fetchall()
    assert rows == [{"actor_id": None, "entity_id": old}, {"actor_id": young, "entity_id": young}]
    assert "no user" in run("users", "restore", str(old)).refusal()
    assert run("users", "restore", str(young), "--json").json()["is_deleted"] is False


def test_servers_do_it_by_themselves(start: Callable[..., Server], sql: Sql) -> None:
    """Of two servers that start, each row is removed once and counted in a log."""
    user_id = add_user(sql, "a@example.com")
    add_sessions(sql, user_id, 700, ended="-3 days")
    servers = [start(), start()]
    eventually(lambda: count(sql, "sessions") == 0, "they are removed")

    def counted() -> int:
        printed = "".join(server.printed() for server in servers)
        return sum(int(word.rpartition("=")[2]) for word in printed.split() if word.startswith("ended_sessions="))

    eventually(lambda: counted() == 700, "each is counted once")


def test_only_one_at_a_time(run: Run, sql: Sql) -> None:
    """If another instance holds the lock, a sweep does nothing."""
    user_id = add_user(sql, "a@example.com")
    add_sessions(sql, user_id, 10, ended="-3 days")
    with psycopg.connect(sql.info.dsn) as other:
        other.execute("SELECT pg_try_advisory_xact_lock(7304218550119)")
        assert run("purge", "--json").json()["removed"]["ended sessions"] == 0
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda _: run("purge", "--json").json()["removed"]["ended sessions"], range(3)))
    assert sum(results) == 10


def test_erasing_an_account_reads_no_whole_table(sql: Sql) -> None:
    """For each account PostgreSQL looks for what refers to it, and without an index a
    batch of 500 reads a big table 500 times, which no statement has the time for."""
    keys = sql.execute(
        "SELECT conrelid::regclass::text AS of, attname AS key FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum]"
        " WHERE confrelid = 'users'::regclass AND contype = 'f'"
    ).fetchall()
    expected = {"sessions", "audit_logs", "email_tokens", "mail_outbox", "api_keys", "user_metadata"}
    assert {key["of"] for key in keys} == expected
    sql.execute("SET enable_seqscan = off")
    for key in keys:
        plan = sql.execute(f"EXPLAIN SELECT FROM {key['of']} WHERE {key['key']} = 1").fetchall()
        assert "Seq Scan" not in str(plan), plan


@pytest.mark.parametrize("setting", ["AUDIT_KEEP_DAYS", "PURGE_DELETED_AFTER_DAYS"])
def test_days_that_no_calendar_has(run: Run, setting: str) -> None:
    """Refused at the start."""
    assert set(run("purge", "--json", **{setting: "36500"}).json()["removed"].values()) == {0}
    assert f"{setting}: " in run("purge", **{setting: "9999999"}).refusal()


def test_audit_rows_without_a_time(run: Run, sql: Sql) -> None:
    """node-api-postgres's column may be empty, and a batch of such rows at the head
    must not hide all that follow."""
    sql.execute(
        "INSERT INTO audit_logs (action, entity_type, created_at) SELECT 'LOGIN', 'users', at FROM ("
        " SELECT NULL::timestamptz AS at FROM generate_series(1, 501) UNION ALL"
        " SELECT now() - interval '91 days' FROM generate_series(1, 2) UNION ALL SELECT now()) AS rows"
    )
    assert run("purge", "--json", AUDIT_KEEP_DAYS="90").json()["removed"]["audit rows"] == 503
    assert count(sql, "audit_logs") == 1


def test_a_wish_that_got_no_mail(run: Run, sql: Sql, database: str) -> None:
    """With no mail ever made, they do not stay for ever."""
    user_id = add_user(sql, "a@example.com")

    async def wish() -> None:
        connection = await asyncpg.connect(database)
        await request_change(connection, user_id, "wished@example.com")
        await connection.close()

    asyncio.run(wish())
    assert run("purge", "--json").json()["removed"]["e-mail tokens"] == 0
    sql.execute("UPDATE email_tokens SET expires_at = expires_at - interval '25 hours'")
    assert run("purge", "--json").json()["removed"]["e-mail tokens"] == 1
    assert count(sql, "email_tokens") == 0
