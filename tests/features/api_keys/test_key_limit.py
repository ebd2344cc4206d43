"""What requests with a key count against: a good key for itself, a bad one for its address."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from latchkey.features.api_keys.key_format import new_key
from tests.kit.browser import refused
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.redis_server import RedisServer
from tests.kit.server import Server, start_server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql

LIMITED = (429, "RATE_LIMITED", "Too many requests, please try again later.")
INVALID = (401, "INVALID_API_KEY", "Invalid API key")
OF_ADDRESS, OF_KEY, WINDOW = 5, 8, 900
SETTINGS = {
    "RATE_LIMIT": f"{OF_ADDRESS}/15 minutes",
    "API_KEY_RATE_LIMIT": f"{OF_KEY}/15 minutes",
    "TRUSTED_PROXIES": "127.0.0.1",
}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL whose statements can be read."""
    with own_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def limited(postgres: OwnPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with low limits that takes this machine for a proxy: each test is at an address of its own."""
    running = start_server(postgres.dsn, tmp_path_factory.mktemp("limited"), **SETTINGS)
    yield running
    running.kill()


@pytest.fixture
def sql(postgres: OwnPostgres) -> Iterator[Sql]:
    """A connection to its database."""
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
def open_here(limited: Server, open_service: Callable[..., Service]) -> Callable[..., Service]:
    """Opens servers of an app at one address, which no other test uses."""
    address = f"198.51.100.{next(_numbers)}"

    def open_one(key: str | None = None) -> Service:
        service = open_service(key, on=limited)
        service.address = address
        return service

    return open_one


def told(answer: httpx.Response) -> tuple[str, int]:
    """Returns the policy that an answer tells, and how many requests are left."""
    headers = answer.headers
    assert headers["ratelimit-policy"] == f"{headers['ratelimit-limit']};w={WINDOW}"
    return headers["ratelimit-limit"], int(headers["ratelimit-remaining"])


def of_key(left: int) -> tuple[str, int]:
    """What an answer tells that counts for its key."""
    return str(OF_KEY), left


def of_address(left: int) -> tuple[str, int]:
    """What an answer tells that counts for its address."""
    return str(OF_ADDRESS), left


def test_a_good_key_counts_for_itself(sql: Sql, open_here: Callable[..., Service]) -> None:
    """On all its endpoints together; the address and other keys have their own counts."""
    service, other = (open_here(add_api_key(sql, "revocations:read", "tokens:introspect")) for _ in range(2))
    for number in range(1, OF_KEY + 1):
        answer = service.introspect("x") if number % 2 else service.request("GET", "/revocations")
        assert (answer.status_code, told(answer)) == (200, of_key(OF_KEY - number))
    refusal = service.request("GET", "/revocations")
    assert (refused(refusal), told(refusal)) == (LIMITED, of_key(0))
    assert 0 < int(refusal.headers["retry-after"]) <= WINDOW
    assert told(other.request("GET", "/revocations")) == of_key(OF_KEY - 1)
    assert told(open_here().request("GET", "/users")) == of_address(OF_ADDRESS - 1)


def test_a_good_key_works_where_the_address_has_used_up_its_limit(sql: Sql, open_here: Callable[..., Service]) -> None:
    """Servers and people of one office share an address."""
    anybody = open_here()
    answers = [anybody.request("GET", "/users") for _ in range(OF_ADDRESS + 1)]
    assert refused(answers[-1]) == LIMITED
    service = open_here(add_api_key(sql, "revocations:read"))
    assert service.request("GET", "/revocations").status_code == 200
    assert refused(anybody.request("GET", "/revocations")) == LIMITED


def test_without_the_scope_a_good_key_still_counts_for_itself(sql: Sql, open_here: Callable[..., Service]) -> None:
    answer = open_here(add_api_key(sql)).request("GET", "/revocations")
    assert (answer.status_code, told(answer)) == (403, of_key(OF_KEY - 1))
    assert told(open_here().request("GET", "/users")) == of_address(OF_ADDRESS - 1)


@pytest.mark.parametrize("make_key", [new_key, lambda: "lk_mistyped", lambda: new_key()[:-1] + "!"])
def test_bad_keys_count_for_the_address(open_here: Callable[..., Service], make_key: Callable[[], str]) -> None:
    """Guessing is limited as any guessing is."""
    service = open_here()
    for number in range(1, OF_ADDRESS + 1):
        service.key = make_key()
        answer = service.request("GET", "/revocations")
        assert (refused(answer), told(answer)) == (INVALID, of_address(OF_ADDRESS - number))
    for _ in range(3):
        service.key = make_key()
        assert refused(service.request("GET", "/revocations")) == LIMITED


def test_where_no_key_is_taken_it_saves_nothing(sql: Sql, open_here: Callable[..., Service]) -> None:
    """A good key opens no faster way to guess passwords."""
    service = open_here(add_api_key(sql, "revocations:read"))
    for number, path in enumerate(("/auth/csrf-token", "/auth/me", "/nowhere"), 1):
        assert told(service.request("GET", path)) == of_address(OF_ADDRESS - number), path
    guesses = [service.request("POST", "/auth/login") for _ in range(OF_ADDRESS)]
    assert refused(guesses[-1]) == LIMITED


def test_past_the_limit_of_bad_keys_only_remembered_ones_pass(
    postgres: OwnPostgres, sql: Sql, open_here: Callable[..., Service]
) -> None:
    """A server whose neighbour sends bad keys goes on. Nothing is looked up for the address any more."""
    remembered, unknown = (add_api_key(sql, "revocations:read") for _ in range(2))
    service = open_here(remembered)
    assert service.request("GET", "/revocations").status_code == 200
    for _ in range(OF_ADDRESS):
        service.key = new_key()
        assert refused(service.request("GET", "/revocations")) == INVALID
    with postgres.logging_statements() as made:
        for key in (unknown, new_key(), "lk_mistyped"):
            service.key = key
            refusal = service.request("GET", "/revocations")
            assert (refused(refusal), told(refusal)) == (LIMITED, of_address(0))
            assert 0 < int(refusal.headers["retry-after"]) <= WINDOW
    assert made == []
    service.key = remembered
    assert service.request("GET", "/revocations").status_code == 200


@pytest.fixture
def store(require: Callable[[str], str], tmp_path: Path) -> Iterator[RedisServer]:
    """A store that instances share."""
    server = RedisServer(require("redis-server"), tmp_path).start()
    yield server
    server.kill()


def test_instances_count_together(
    start: Callable[..., Server], own_sql: Sql, open_service: Callable[..., Service], store: RedisServer
) -> None:
    """Good keys and bad ones."""
    servers = [start(RATE_LIMIT_STORAGE=f"redis://{store.address}", **SETTINGS) for _ in range(2)]
    near, far = (open_service(add_api_key(own_sql, "revocations:read"), on=server) for server in servers)
    far.key = near.key
    assert [told(each.request("GET", "/revocations")) for each in (near, far)] == [
        of_key(OF_KEY - 1),
        of_key(OF_KEY - 2),
    ]
    for _ in range(OF_ADDRESS):
        near.key = new_key()
        assert refused(near.request("GET", "/revocations")) == INVALID
    far.key = add_api_key(own_sql, "revocations:read")
    assert refused(far.request("GET", "/revocations")) == LIMITED


def test_while_the_store_is_away_keys_still_work(
    start: Callable[..., Server], own_sql: Sql, open_service: Callable[..., Service], store: RedisServer
) -> None:
    """Uncounted, as every request then is."""
    service = open_service(
        add_api_key(own_sql, "revocations:read"),
        on=start(RATE_LIMIT_STORAGE=f"redis://{store.address}", **SETTINGS),
    )
    store.kill()
    for _ in range(OF_KEY + 1):
        answer = service.request("GET", "/revocations")
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers
    service.key = new_key()
    assert refused(service.request("GET", "/revocations")) == INVALID
