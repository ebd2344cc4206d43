"""The rounds of addresses that nobody has: drawn in the proportions of the hashes that accounts have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from latchkey.database.pool import Database, open_database
from latchkey.hashing.bcrypt_hashes import bcrypt_of
from latchkey.hashing.costs import HashCosts, count_costs
from latchkey.hashing.queries import SAMPLED_ROWS, sample_hashes
from latchkey.keys import Secret
from tests.kit.stored import Sql

ADDRESSES = [f"nobody{number}@example.com" for number in range(4000)]
INSERT = """
INSERT INTO users (name, email, password, is_deleted)
SELECT 'Siam', %(rounds)s || '-' || n || %(domain)s, '$2b$' || %(rounds)s || '$' || repeat('.', 53), %(deleted)s
FROM generate_series(1, %(count)s) AS n
"""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = await open_database(url, production=False)
    yield database
    await database.close()


def add(sql: Sql, rounds: str, count: int, *, deleted: bool = False) -> None:
    """Adds users with a hash of so many rounds."""
    domain = "@gone.example.com" if deleted else "@example.com"
    sql.execute(INSERT, {"rounds": rounds, "count": count, "deleted": deleted, "domain": domain})


def share(costs: HashCosts, rounds: int) -> float:
    """The part of all addresses that have these rounds."""
    return sum(costs.cost_of(address) == bcrypt_of(rounds) for address in ADDRESSES) / len(ADDRESSES)


@pytest.mark.parametrize(("old", "new"), [(500, 500), (900, 100), (0, 300)])
async def test_unknown_addresses_are_drawn_as_accounts_are(database: str, own_sql: Sql, old: int, new: int) -> None:
    add(own_sql, "10", old)
    add(own_sql, "12", new)
    add(own_sql, "14", 200, deleted=True)
    own_sql.execute("INSERT INTO users (name, email, password) VALUES ('Siam', 'x@example.com', 'corrupt')")
    one, other = HashCosts(Secret("secret"), 12), HashCosts(Secret("secret"), 12)
    async with opened(database) as opened_database:
        await one.sample(opened_database)
        await other.sample(opened_database)
    expected = old / (old + new)
    assert abs(share(one, 10) - expected) < 0.04
    assert abs(share(one, 12) - (1 - expected)) < 0.04
    assert [one.cost_of(address) for address in ADDRESSES] == [other.cost_of(address) for address in ADDRESSES]


async def test_nobody_is_there(database: str) -> None:
    costs = HashCosts(Secret("secret"), 11)
    assert share(costs, 11) == 1
    async with opened(database) as opened_database:
        await costs.sample(opened_database)
    assert share(costs, 11) == 1


async def test_a_large_table_is_sampled(database: str, own_sql: Sql) -> None:
    """Some hundred pages are read, however many there are, and both ends of the table are among them."""
    for rounds in ("10", "12"):
        add(own_sql, rounds, 60_000)
    async with opened(database) as opened_database:
        sampled = await sample_hashes(opened_database)
        assert await sample_hashes(opened_database) == sampled
    assert len(sampled) == SAMPLED_ROWS
    assert 0.35 < count_costs(sampled)[bcrypt_of(10)] / SAMPLED_ROWS < 0.65
