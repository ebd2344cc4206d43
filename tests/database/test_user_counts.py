"""The kept number of users is the number of users, whoever changes them and however."""

import random
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

KEPT = "SELECT sum(live)::int FROM user_counts"
COUNTED = "SELECT count(*)::int FROM users WHERE NOT is_deleted"
MANY = (
    "INSERT INTO users (name, email, password) SELECT 'Siam', gen_random_uuid() || '@example.com', 'x'"
    " FROM generate_series(1, {number})"
)
CHANGES = (
    MANY,
    "INSERT INTO users (name, email, password, is_deleted) VALUES ('Siam', gen_random_uuid() || '@example.com', 'x', true)",
    "UPDATE users SET is_deleted = true WHERE id % 7 = {number}",
    "UPDATE users SET is_deleted = NOT is_deleted WHERE id % 5 = {number}",
    "UPDATE users SET name = 'Renamed', is_deleted = is_deleted WHERE id % 3 = {number}",
    "DELETE FROM users WHERE id % 11 = {number}",
    "DELETE FROM users WHERE false",
)


def numbers(connection: psycopg.Connection) -> tuple[int, int]:
    """The kept number and the counted one, in one snapshot."""
    row = connection.execute(f"SELECT ({KEPT}), ({COUNTED})").fetchone()
    assert row is not None
    return row[0], row[1]


def change_at_random(dsn: str, seed: int) -> None:
    """Some changes, every third rolled back, as a server process of its own makes them."""
    chosen = random.Random(seed)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for step in range(20):
            statement = chosen.choice(CHANGES).format(number=chosen.randrange(7))
            with connection.transaction(force_rollback=step % 3 == 0):
                # One after the other in any order of rows would deadlock by itself; that is not what is tested.
                connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
                connection.execute(statement)


def test_after_any_changes(database: str) -> None:
    """Registrations, deletions, restores, erasures and what an operator does by hand."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda seed: change_at_random(database, seed), range(4)))
    with psycopg.connect(database, autocommit=True) as connection:
        kept, counted = numbers(connection)
        assert kept == counted > 0
        connection.execute("TRUNCATE users CASCADE")
        assert numbers(connection) == (0, 0)


@pytest.mark.parametrize("after", ["COMMIT", "ROLLBACK"])
def test_a_snapshot_is_of_one_moment(database: str, after: str) -> None:
    """A registration that has not committed is in neither number."""
    with psycopg.connect(database) as writer, psycopg.connect(database, autocommit=True) as reader:
        before = numbers(reader)
        writer.execute(MANY.format(number=3))
        assert numbers(reader) == before
        writer.execute(after)
        assert numbers(reader) == tuple(number + 3 * (after == "COMMIT") for number in before)
