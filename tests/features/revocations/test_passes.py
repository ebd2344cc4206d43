"""No ended session is lost to a reader, whatever transactions commit in whatever order, and however it reads."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from latchkey.database.pool import Database, open_database
from latchkey.features.revocations.passes import Cursor, Page, Passes
from tests.kit.stored import Sql

IDS_MAX = 3
PAGES_MAX = 100
"""More than two passes over all sessions of a test."""
WINDOW_SECONDS = 61 * 60
CLIENTS = st.integers(0, 2)
# Transactions that end sessions run less than 10 s; the rest is left for a busy machine that runs this test.
SECONDS_UNDER_WAY = st.sampled_from([0.0, 0.5, 3.0, 6.0])
# `make test-long` asks for more, and for other ones each time.
IS_LONG = settings().max_examples > 100
STEPS, EXAMPLES = 40, settings().max_examples // 4

Read = Callable[[Cursor | None], Page | None]


@pytest.fixture
def read(database: str) -> Iterator[Read]:
    """Reads a page after a cursor, or the first one, from pages of three ids at most."""
    with asyncio.Runner() as runner:
        pool: Database = runner.run(open_database(database, production=False))
        passes = Passes(pool, ids_max=IDS_MAX)

        def read_page(cursor: Cursor | None) -> Page | None:
            return runner.run(passes.begin() if cursor is None else passes.read(cursor))

        yield read_page
        runner.run(pool.close())


def add_sessions(sql: Sql, count: int, *, ended_ago: float | None = None) -> list[UUID]:
    """Adds sessions of a user, which ended so many seconds ago; None: live ones."""
    sql.execute(
        "INSERT INTO users (id, name, email, password) VALUES (1, 'Siam', 's@example.com', '') ON CONFLICT DO NOTHING"
    )
    ids = [uuid4() for _ in range(count)]
    sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at, ended_at)"
        " SELECT id, 1, sha256(id::text::bytea), now() + interval '1 day', now() - make_interval(secs => %s)"
        " FROM unnest(%s::uuid[]) AS id",
        [ended_ago, ids],
    )
    return ids


def read_all(read: Read, cursor: Cursor | None) -> tuple[list[UUID], Cursor]:
    """Reads until there is nothing new, which comes soon."""
    ids: list[UUID] = []
    for _ in range(PAGES_MAX):
        page = read(cursor)
        if page is None:
            assert cursor is not None
            return ids, cursor
        ids += page.session_ids
        cursor = page.cursor
    raise AssertionError("the reader is told of news again and again, and there is none")


def moved(cursor: Cursor, seconds: float) -> Cursor:
    """Returns a cursor as it would be if it were so much older."""
    earlier = timedelta(seconds=seconds)
    place = cursor.place and replace(cursor.place, ended_at=cursor.place.ended_at - earlier)
    return replace(cursor, began_at=cursor.began_at - earlier, place=place)


class Revocations(RuleBasedStateMachine):
    """Three clients end sessions in transactions, an operator erases accounts, time passes, and a reader reads."""

    dsn: str
    read: Read

    def __init__(self) -> None:
        super().__init__()
        self._clients: list[psycopg.Connection[Any]] = []
        self._live: list[UUID] = []
        self._ending: dict[int, list[tuple[UUID, float]]] = {}
        self._ended: dict[UUID, float] = {}
        """The sessions that ended and were committed, and how many seconds ago."""
        self._delivered: set[UUID] = set()
        self._cursor: Cursor | None = None

    @initialize()
    def begin(self) -> None:
        self._sql = psycopg.connect(self.dsn, autocommit=True, row_factory=psycopg.rows.dict_row)
        self._sql.execute("DELETE FROM sessions")
        self._clients = [psycopg.connect(self.dsn) for _ in range(3)]
        self._live = add_sessions(self._sql, 60)
        for ago in (1.0, 9.5, 10.5, 300.0):
            self._ended |= dict.fromkeys(add_sessions(self._sql, 2, ended_ago=ago), ago)

    def teardown(self) -> None:
        for each in self._clients:
            each.close()
        if hasattr(self, "_sql"):
            self._sql.close()

    @rule(client=CLIENTS, under_way=SECONDS_UNDER_WAY)
    def end(self, client: int, under_way: float) -> None:
        """A transaction that began so many seconds ago ends a session, and is not committed yet."""
        session_id = self._live.pop()
        self._clients[client].execute(
            "UPDATE sessions SET ended_at = now() - make_interval(secs => %s) WHERE id = %s", [under_way, session_id]
        )
        self._ending.setdefault(client, []).append((session_id, under_way))

    @rule(client=CLIENTS)
    def commit(self, client: int) -> None:
        self._clients[client].commit()
        self._ended |= dict(self._ending.pop(client, []))

    @rule(client=CLIENTS)
    def roll_back(self, client: int) -> None:
        self._clients[client].rollback()
        self._live += [session_id for session_id, _ in self._ending.pop(client, [])]

    @rule(which=st.integers(0, 2**16))
    def erase(self, which: int) -> None:
        """Accounts that are erased take the rows of their sessions with them."""
        if erasable := sorted(self._ended.keys() & self._delivered):
            session_id = erasable[which % len(erasable)]
            self._sql.execute("DELETE FROM sessions WHERE id = %s", [session_id])
            del self._ended[session_id]

    @precondition(lambda self: not self._ending)
    @rule(seconds=st.sampled_from([1.0, 5.0, 12.0, 70.0, 1_000.0]))
    def pass_time(self, seconds: float) -> None:
        """The rows are aged, and what the reader holds."""
        self._sql.execute("UPDATE sessions SET ended_at = ended_at - make_interval(secs => %s)", [seconds])
        self._ended = {session_id: ago + seconds for session_id, ago in self._ended.items()}
        self._cursor = self._cursor and moved(self._cursor, seconds)

    @rule()
    def read_a_page(self) -> None:
        """A reader that is told of nothing new has everything that is committed and that a token may name."""
        page = self.read(self._cursor)
        if page is not None:
            assert len(page.session_ids) <= IDS_MAX
            self._delivered |= set(page.session_ids)
            self._cursor = page.cursor
        else:
            # Some seconds of this test's own time have passed.
            due = {session_id for session_id, ago in self._ended.items() if ago < WINDOW_SECONDS - 60}
            assert due <= self._delivered

    @rule()
    def lose_an_answer(self) -> None:
        """The reader asks again with the cursor that it has."""
        self.read(self._cursor)

    @rule()
    def read_to_the_end(self) -> None:
        """It comes to an end, and then nothing is missing."""
        ids, self._cursor = read_all(self.read, self._cursor)
        self._delivered |= set(ids)
        self.read_a_page()


def test_none_is_lost(database: str, read: Read) -> None:
    class InThisWorld(Revocations):
        pass

    InThisWorld.dsn, InThisWorld.read = database, staticmethod(read)
    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=not IS_LONG, database=None, deadline=None
        ),
    )


@pytest.mark.parametrize("hours", [0.02, 2, 40])
def test_a_reader_that_was_away_gets_all_since(own_sql: Sql, read: Read, hours: float) -> None:
    """As far back as rows are kept. Its cursor and the rows are aged."""
    add_sessions(own_sql, 5, ended_ago=5)
    _, cursor = read_all(read, None)
    seconds = hours * 3_600
    own_sql.execute("UPDATE sessions SET ended_at = ended_at - make_interval(secs => %s)", [seconds])
    missed = [session_id for part in (0.9, 0.5, 0) for session_id in add_sessions(own_sql, 2, ended_ago=part * seconds)]
    ids, _ = read_all(read, moved(cursor, seconds))
    assert set(missed) <= set(ids)


def test_a_database_whose_clock_was_set_back(own_sql: Sql, read: Read) -> None:
    """As after a failover to a server whose clock is behind. The reader begins again with the last 61 minutes."""
    _, cursor = read_all(read, None)
    ended = add_sessions(own_sql, 2, ended_ago=0) + add_sessions(own_sql, 2, ended_ago=100)
    page = read(moved(cursor, -120))
    assert page is not None
    ids, _ = read_all(read, page.cursor)
    assert {*page.session_ids, *ids} == set(ended)


def test_a_session_that_ends_while_an_account_is_erased(own_sql: Sql, read: Read) -> None:
    """Their number stays the same."""
    erased = add_sessions(own_sql, 2, ended_ago=1)
    _, cursor = read_all(read, None)
    own_sql.execute("DELETE FROM sessions WHERE id = ANY(%s)", [erased])
    ended = add_sessions(own_sql, 2, ended_ago=0)
    assert set(read_all(read, cursor)[0]) == set(ended)


def test_an_empty_database(read: Read) -> None:
    page = read(None)
    assert page is not None
    assert (page.session_ids, page.more) == ([], False)
    assert read(page.cursor) is None
