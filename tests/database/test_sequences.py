"""Ids that were loaded without setting their sequence: `doctor` finds them and names the statement."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from latchkey.database.pool import connect
from latchkey.database.sequence_queries import TABLES, find_sequences
from latchkey.terminal.finding import Finding
from tests.kit.command_line import Result, latchkey

BEHIND = {
    "users": "INSERT INTO users (id, name, email, password) VALUES (7, 'n', '7@example.com', '')",
    "audit_logs": "INSERT INTO audit_logs (id, action, entity_type) VALUES (70, 'LOGIN', 'users')",
    "mail_outbox": "INSERT INTO mail_outbox (id, kind, recipient) OVERRIDING SYSTEM VALUE VALUES (700, 'reset-link', '1@x')",
}

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


def finding(run: Run) -> Finding:
    """What `doctor` says of sequences."""
    result = run("doctor", "--json")
    (found,) = [Finding(**each) for each in json.loads(result.out)["findings"] if each["check"] == "sequences"]
    assert result.code == (found.level == "problem")
    return found


async def test_every_sequence_is_looked_at(database: str, own: psycopg.Connection) -> None:
    """A new table of ours has to be named."""
    all_tables = own.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in all_tables} == {*TABLES, "alembic_version"}
    sequences = own.execute("SELECT count(*) FROM pg_sequences").fetchone()

    connection = await connect(database, production=False)
    try:
        assert (len(await find_sequences(connection)),) == sequences
    finally:
        await connection.close()


@pytest.mark.parametrize("table", BEHIND)
def test_a_sequence_that_is_behind(run: Run, own: psycopg.Connection, table: str) -> None:
    """Ids were loaded without setting it: `doctor` names the statement that mends it, word for word."""
    assert finding(run).level == "ok"
    own.execute(BEHIND[table])
    found = finding(run)
    assert found.level == "problem"
    assert f"{table}.id goes up to" in found.message
    assert "the next id is 1" in found.message
    statement = (found.advice or "").removeprefix("run in psql: ")
    assert statement == f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}));"
    own.execute(statement)
    assert finding(run).level == "ok"


def test_edges_of_a_sequence(run: Run, own: psycopg.Connection) -> None:
    """The next id is what counts, and not the last one."""
    own.execute(BEHIND["users"])
    for setting, level in (("7, false", "problem"), ("8, false", "ok"), ("6, true", "problem"), ("7, true", "ok")):
        own.execute(f"SELECT setval('users_id_seq', {setting})")
        assert finding(run).level == level, setting


def test_names_that_must_be_quoted(run: Run, database: str, own: psycopg.Connection) -> None:
    """In a schema of another name, with a sequence of another name."""
    own.execute('ALTER SCHEMA public RENAME TO "Our accounts"')
    own.execute(f'ALTER DATABASE {own.info.dbname} SET search_path = "Our accounts"')
    own.execute('ALTER SEQUENCE "Our accounts".users_id_seq RENAME TO "Users\'s ids"')
    with psycopg.connect(database, autocommit=True) as again:
        again.execute("SET session_replication_role = replica; " + BEHIND["users"])
        again.execute((finding(run).advice or "").removeprefix("run in psql: "))
    assert finding(run).level == "ok"


def test_a_role_that_may_only_use_sequences(own: psycopg.Connection, database: str, tmp_path: Path) -> None:
    """As docs/operations.md describes the one that serves."""
    role = f"serving_{own.info.dbname}"
    own.execute(f"CREATE ROLE {role} LOGIN")
    try:
        own.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        own.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
        as_role = partial(latchkey, directory=tmp_path, dsn=database.replace("postgres@", f"{role}@", 1))
        assert finding(as_role).level == "ok"
        own.execute("INSERT INTO users (name, email, password) VALUES ('n', '1@example.com', '')")
        own.execute(BEHIND["users"])
        assert finding(as_role).level == "problem"
    finally:
        own.execute(f"DROP OWNED BY {role}")
        own.execute(f"DROP ROLE {role}")
