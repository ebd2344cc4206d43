"""kill -9 in the middle of password resets: the old password or the new one, never both, and the record agrees."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bcrypt
import httpx
import psycopg

from tests.kit.browser import PASSWORD, Browser
from tests.kit.server import Server
from tests.kit.stored import plant_reset_token
from tests.kit.waiting import eventually

ROUNDS = 3
USERS = 24
ACKNOWLEDGED_BEFORE_THE_KILL = 6
NEW_PASSWORD = "Changed456!"
STATE = """
SELECT u.id, u.password, u.reset_token IS NOT NULL AS pending, count(a.id) AS recorded
FROM users u LEFT JOIN audit_logs a ON a.entity_id = u.id AND a.action = 'RESET_PASSWORD'
WHERE u.id = ANY(%s) GROUP BY u.id
"""


def test_killed_in_the_middle_of_resets(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    """A password is set with its audit row, its token spent, or all is
    as it was and the link in the mail still works."""
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        for number in range(ROUNDS):
            server = start()
            browsers = [open_browser(server), open_browser(server)]
            ids = [browsers[0].register()["id"] for _ in range(USERS)]
            for user_id in ids:
                plant_reset_token(sql, user_id, _token(user_id))
            browsers[1].fetch_csrf()
            acknowledged = _reset_until_killed(server, browsers, ids)
            eventually(lambda: not _others(sql), "the connections of the killed server have ended")

            rows = sql.execute(STATE, [ids]).fetchall()
            changed = {row["id"] for row in rows if bcrypt.checkpw(NEW_PASSWORD.encode(), row["password"].encode())}
            kept = {row["id"] for row in rows if bcrypt.checkpw(PASSWORD.encode(), row["password"].encode())}
            assert changed | kept == set(ids), f"round {number}"
            assert not changed & kept
            assert set(acknowledged) <= changed
            # Each of the two browsers had one request under way at most.
            assert len(changed) - len(acknowledged) <= len(browsers)
            assert {row["id"] for row in rows if row["recorded"]} == changed
            assert all(row["recorded"] <= 1 for row in rows)
            assert {row["id"] for row in rows if row["pending"]} == kept


def _token(user_id: int) -> str:
    return f"{user_id:064x}"


def _reset_until_killed(server: Server, browsers: list[Browser], ids: list[int]) -> list[int]:
    acknowledged: list[int] = []
    killing = threading.Event()

    def reset(browser: Browser, own: list[int]) -> None:
        for user_id in own:
            body = {"token": _token(user_id), "newPassword": NEW_PASSWORD}
            try:
                assert browser.post("/auth/reset-password", body).status_code == 200
            except httpx.TransportError:
                # Before the kill nothing may fail.
                assert killing.is_set()
                return
            acknowledged.append(user_id)

    with ThreadPoolExecutor(len(browsers)) as threads:
        loops = [threads.submit(reset, browser, ids[number::2]) for number, browser in enumerate(browsers)]
        try:
            eventually(
                lambda: len(acknowledged) >= ACKNOWLEDGED_BEFORE_THE_KILL or any(loop.done() for loop in loops),
                "resets are under way",
            )
        finally:
            killing.set()
            server.kill()
        for loop in loops:
            loop.result()
    return acknowledged


def _others(sql: "psycopg.Connection[dict[str, Any]]") -> list[dict[str, Any]]:
    return sql.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ).fetchall()
