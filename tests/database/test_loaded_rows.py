"""Rows that were loaded without triggers: their number is compared with the kept one, and put right."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.database.test_user_counts import numbers
from tests.kit.browser import Browser
from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.waiting import eventually

# As pg_restore --disable-triggers and a subscription do it.
LOADED = """
SET LOCAL session_replication_role = replica;
INSERT INTO users (id, name, email, password, is_deleted)
SELECT {first} + n, 'Loaded', 'loaded' || {first} + n || '@example.com', '', n % 10 = 0 FROM generate_series(1, {rows}) AS n
"""
CORRECTED = "rows were loaded without triggers"
Run = Callable[..., Result]


@pytest.fixture
def own(database: str) -> Iterator[psycopg.Connection]:
    """A connection to the test's database."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey …` on the test's database."""
    return partial(latchkey, directory=tmp_path, dsn=database)


def load(connection: psycopg.Connection, *, first: int = 1000, rows: int = 100) -> None:
    """Loads users, a tenth of them deleted."""
    with connection.transaction():
        connection.execute(LOADED.format(first=first, rows=rows))


def finding(run: Run, check: str) -> dict[str, Any]:
    """What `doctor` says of that."""
    report = json.loads(run("doctor", "--json").out)
    (found,) = [each for each in report["findings"] if each["check"] == check]
    return dict(found)


def test_the_number_of_users(run: Run, own: psycopg.Connection) -> None:
    """`doctor` says by how many it is off, and what mends it; that is so afterwards."""
    assert finding(run, "number of users")["level"] == "ok"
    load(own)
    found = finding(run, "number of users")
    assert found["level"] == "warning"
    assert "90 too low" in found["message"]
    assert "latchkey purge" in found["advice"]
    assert numbers(own) == (0, 90)
    purged = run("purge")
    assert purged.code == 0
    assert CORRECTED in purged.err
    assert numbers(own) == (90, 90)
    assert finding(run, "number of users")["level"] == "ok"
    assert CORRECTED not in run("purge").err
    with own.transaction():
        own.execute("SET LOCAL session_replication_role = replica")
        own.execute("DELETE FROM users WHERE id <= 1050")
    assert "45 too high" in finding(run, "number of users")["message"]
    run("purge")
    assert numbers(own) == (45, 45)


def test_a_server_mends_it(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own: psycopg.Connection
) -> None:
    """When it starts; the log says so, and the page of users has the right total."""
    load(own)
    server = start()
    eventually(lambda: CORRECTED in server.printed(), "it is corrected")
    browser = open_browser(server)
    browser.sign_up()
    assert browser.get("/users").json()["meta"]["total"] == 91


def test_while_users_come_and_go(run: Run, database: str, own: psycopg.Connection) -> None:
    """Two correct at once, and accounts are made and deleted meanwhile: nothing is counted twice."""
    load(own, rows=20_000)

    def change(seed: int) -> None:
        chosen = random.Random(seed)
        with psycopg.connect(database, autocommit=True) as connection:
            for number in range(100):
                email = f"{seed}-{number}@example.com"
                connection.execute("INSERT INTO users (name, email, password) VALUES ('n', %s, '')", [email])
                if chosen.random() < 0.5:
                    connection.execute("UPDATE users SET is_deleted = true WHERE email = %s", [email])

    with ThreadPoolExecutor(6) as threads:
        changes = [threads.submit(change, seed) for seed in range(4)]
        corrections = [threads.submit(run, "purge") for _ in range(2)]
        for each in changes:
            each.result()
        assert [each.result().code for each in corrections] == [0, 0]
    kept, counted = numbers(own)
    assert kept == counted
