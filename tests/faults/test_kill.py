"""kill -9, as by a power cut or the kernel out of memory: a change and its record are there both, or neither."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.server import Server
from tests.kit.waiting import eventually

ROUNDS = 6
ACKNOWLEDGED_BEFORE_THE_KILL = 8
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
UNPAIRED = """
SELECT u.id, count(a.id) FROM users u FULL JOIN audit_logs a ON a.entity_id = u.id AND a.action = 'CREATE_USER'
WHERE a.id IS NULL OR a.action = 'CREATE_USER' GROUP BY u.id HAVING count(a.id) <> 1 OR u.id IS NULL
"""


@dataclass
class Acknowledged:
    """What the server has said that it did."""

    names: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)


def until_killed(call: Callable[[int], httpx.Response], status: int, killing: threading.Event) -> None:
    """Calls again and again, until there is no answer because the server was killed."""
    for number in range(1, 1_000_000):
        try:
            assert call(number).status_code == status
        except httpx.TransportError:
            # Before the kill nothing may fail.
            assert killing.is_set()
            return


def test_killed_in_the_middle(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    """Whatever the moment of the kill, what was acknowledged is there, nothing is
    there without its audit row, and no audit row without its change."""
    with psycopg.connect(database, autocommit=True) as sql:
        for number in range(ROUNDS):
            server = start()
            changer, registrar = open_browser(server), open_browser(server)
            user = changer.sign_up()
            registrar.fetch_csrf()
            acknowledged = one_round(server, changer, registrar, user)
            # The backends go on for a moment with what they had been sent.
            eventually(lambda: scalar(sql, OTHERS) == 0, "the connections of the killed server have ended")

            changes = scalar(
                sql, "SELECT count(*) FROM audit_logs WHERE action = 'UPDATE_USER' AND entity_id = %s", user["id"]
            )
            assert changes - len(acknowledged.names) in {0, 1}, f"round {number}"
            # The n-th change sets the name "Name n": value and count must agree.
            assert scalar(sql, "SELECT name FROM users WHERE id = %s", user["id"]) == f"Name {changes}"
            stored = scalar(sql, "SELECT count(*) FROM users WHERE email = ANY(%s)", acknowledged.emails)
            assert stored == len(acknowledged.emails)
            assert sql.execute(UNPAIRED).fetchall() == []


def one_round(server: Server, changer: Browser, registrar: Browser, user: dict[str, Any]) -> Acknowledged:
    """Changes and registrations without a pause, and a kill in the middle of them; what was acknowledged."""
    acknowledged, killing = Acknowledged(), threading.Event()

    def change(number: int) -> httpx.Response:
        response = changer.patch(f"/users/{user['id']}", {"name": f"Name {number}"})
        acknowledged.names.append(response.json()["data"]["name"])
        return response

    def register(_: int) -> httpx.Response:
        email = new_email()
        response = registrar.post("/auth/register", {"name": "Siam", "email": email, "password": PASSWORD})
        acknowledged.emails.append(email)
        return response

    def busy() -> bool:
        return min(len(acknowledged.names), len(acknowledged.emails)) >= ACKNOWLEDGED_BEFORE_THE_KILL

    with ThreadPoolExecutor(2) as threads:
        loops = [
            threads.submit(until_killed, change, 200, killing),
            threads.submit(until_killed, register, 201, killing),
        ]
        try:
            eventually(lambda: busy() or any(loop.done() for loop in loops), "both loops are under way")
        finally:
            killing.set()
            server.kill()
        for loop in loops:
            loop.result()
    return acknowledged


def scalar(sql: "psycopg.Connection[Any]", query: str, *values: Any) -> Any:
    """The first value of the first row."""
    row = sql.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]
