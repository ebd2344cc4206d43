"""Reads the database through a separate connection, beside the server."""

import hashlib
from typing import Any

import httpx
import psycopg

Sql = psycopg.Connection[dict[str, Any]]
Audited = tuple[str, int | None, int | None]


def user_row(sql: Sql, user_id: int) -> dict[str, Any]:
    """Returns the row of a user, deleted or not."""
    row = sql.execute("SELECT * FROM users WHERE id = %s", [user_id]).fetchone()
    assert row is not None, f"no user {user_id}"
    return row


def live_sessions(sql: Sql, user_id: int) -> list[dict[str, Any]]:
    """Returns the live sessions of a user, oldest first."""
    return sql.execute(
        "SELECT * FROM sessions WHERE user_id = %s AND ended_at IS NULL ORDER BY created_at", [user_id]
    ).fetchall()


def endings(sql: Sql, user_id: int) -> list[str | None]:
    """Returns the ending reason of each session of a user, oldest first; None for a live one."""
    rows = sql.execute("SELECT ended_by FROM sessions WHERE user_id = %s ORDER BY created_at", [user_id])
    return [row["ended_by"] for row in rows]


def audit_rows(sql: Sql, response: httpx.Response) -> list[dict[str, Any]]:
    """Returns the audit rows that the request of an answer has written."""
    return sql.execute(
        "SELECT * FROM audit_logs WHERE metadata->>'requestId' = %s ORDER BY id",
        [response.headers["x-request-id"]],
    ).fetchall()


def audited(sql: Sql, response: httpx.Response) -> list[Audited]:
    """Returns action, actor and entity of each of those rows."""
    rows = audit_rows(sql, response)
    assert all(row["entity_type"] == "users" for row in rows)
    return [(row["action"], row["actor_id"], row["entity_id"]) for row in rows]


def everything_of(sql: Sql, *user_ids: int) -> list[list[dict[str, Any]]]:
    """Returns all rows about these users: equal before and after a request that must change nothing."""
    ids = list(user_ids)
    queries = (
        "SELECT * FROM users WHERE id = ANY(%s) ORDER BY id",
        "SELECT * FROM sessions WHERE user_id = ANY(%s) ORDER BY created_at, id",
        "SELECT * FROM audit_logs WHERE entity_id = ANY(%s) ORDER BY id",
    )
    return [sql.execute(query, [ids]).fetchall() for query in queries]


def users_with(sql: Sql, email: str) -> list[int]:
    """Returns the ids of the users with that address, deleted ones included, oldest first."""
    rows = sql.execute("SELECT id FROM users WHERE lower(email) = lower(%s) ORDER BY id", [email])
    return [row["id"] for row in rows]


def plant_reset_token(sql: Sql, user_id: int, token: str, *, minutes: float = 15) -> None:
    """Gives a user a reset token that expires in `minutes`, stored as Latchkey stores it."""
    sql.execute(
        "UPDATE users SET reset_token = %s, reset_token_expires = now() + make_interval(secs => %s) WHERE id = %s",
        [hashlib.sha256(token.encode()).hexdigest(), minutes * 60, user_id],
    )
