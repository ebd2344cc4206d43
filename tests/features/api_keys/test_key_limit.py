"""What requests with a key count against: a good key for itself, a bad one for its address."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from latchkey.features.api_keys.key_format import new_key
from tests.kit import plain_http
from tests.kit.browser import refused
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.redis_server import RedisServer
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql

LIMITED = (429, "RATE_LIMITED", "Too many requests, please try again later.")
INVALID = (401, "INVALID_API_KEY", "Invalid API key")
ADDRESS, KEY, WINDOW = 5, 8, 900
SETTINGS = {"RATE_LIMIT": f"{ADDRESS}/15 minutes", "API_KEY_RATE_LIMIT": f"{KEY}/15 minutes"}


@pytest.fixture
def limited(start: Callable[..., Server]) -> Server:
    """A server with low limits. The readiness check of its start is not counted."""
    return start(**SETTINGS)


def limit(answer: httpx.Response) -> tuple[str, str, str]:
    """Returns policy, limit and remaining requests, as an answer tells them."""
    names = ("ratelimit-policy", "ratelimit-limit", "ratelimit-remaining")
    return tuple(answer.headers[name] for name in names)  # type: ignore[return-value]  # three names


def left_of_address(server: Server) -> str:
    """Returns how many requests the address has left, after one more without a key."""
    remaining: str = plain_http.get(f"{server.url}/users").headers["ratelimit-remaining"]
    return remaining


def test_a_good_key_counts_for_itself(limited: Server, own_sql: Sql, open_service: Callable[..., Service]) -> None:
    """On all its endpoints together; the address and other keys have their own counts."""
    service, other = (
        open_service(add_api_key(own_sql, "revocations:read", "tokens:introspect"), on=limited) for _ in range(2)
    )
    for number in range(1, KEY + 1):
        answer = service.introspect("x") if number % 2 else service.request("GET", "/revocations")
        assert answer.status_code == 200
        assert limit(answer) == (f"{KEY};w={WINDOW}", str(KEY), str(KEY - number))
    refusal = service.request("GET", "/revocations")
    assert refused(refusal) == LIMITED
    assert 0 < int(refusal.headers["retry-after"]) <= WINDOW
    assert limit(refusal) == (f"{KEY};w={WINDOW}", str(KEY), "0")
    assert limit(other.request("GET", "/revocations"))[2] == str(KEY - 1)
    assert left_of_address(limited) == str(ADDRESS - 1)


def test_a_good_key_works_where_the_address_has_used_up_its_limit(
    limited: Server, own_sql: Sql, open_service: Callable[..., Service]
) -> None:
    """Servers and people of one office share an address."""
    for _ in range(ADDRESS + 1):
        left_of_address(limited)
    service = open_service(add_api_key(own_sql, "revocations:read"), on=limited)
    assert service.request("GET", "/revocations").status_code == 200
    service.key = None
    assert refused(service.request("GET", "/revocations")) == LIMITED


def test_without_the_scope_a_good_key_still_counts_for_itself(
    limited: Server, own_sql: Sql, open_service: Callable[..., Service]
) -> None:
    service = open_service(add_api_key(own_sql), on=limited)
    answer = service.request("GET", "/revocations")
    assert (answer.status_code, limit(answer)) == (403, (f"{KEY};w={WINDOW}", str(KEY), str(KEY - 1)))
    assert left_of_address(limited) == str(ADDRESS - 1)


@pytest.mark.parametrize("make_key", [new_key, lambda: "lk_mistyped", lambda: new_key()[:-1] + "!"])
def test_bad_keys_count_for_the_address(
    limited: Server, open_service: Callable[..., Service], make_key: Callable[[], str]
) -> None:
    """Guessing is limited as any guessing is."""
    service = open_service(on=limited)
    for number in range(1, ADDRESS + 1):
        service.key = make_key()
        answer = service.request("GET", "/revocations")
        assert refused(answer) == INVALID
        assert limit(answer) == (f"{ADDRESS};w={WINDOW}", str(ADDRESS), str(ADDRESS - number))
    for _ in range(3):
        service.key = make_key()
        assert refused(service.request("GET", "/revocations")) == LIMITED


def test_where_no_key_is_taken_it_saves_nothing(
    limited: Server, own_sql: Sql, open_service: Callable[..., Service]
) -> None:
    """A good key opens no faster way to guess passwords."""
    service = open_service(add_api_key(own_sql, "revocations:read"), on=limited)
    for number, path in enumerate(("/auth/csrf-token", "/auth/me", "/nowhere"), 1):
        answer = service.request("GET", path)
        assert limit(answer) == (f"{ADDRESS};w={WINDOW}", str(ADDRESS), str(ADDRESS - number)), path
    guesses = [service.request("POST", "/auth/login") for _ in range(ADDRESS)]
    assert refused(guesses[-1]) == LIMITED


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL whose statements can be read."""
    with own_postgres() as running:
        yield running


def test_past_the_limit_of_bad_keys_only_remembered_ones_pass(
    postgres: OwnPostgres, start: Callable[..., Server], open_service: Callable[..., Service]
) -> None:
    """A server whose neighbour sends bad keys goes on. Nothing is looked up for the address any more."""
    server = start(dsn=postgres.dsn, **SETTINGS)
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        remembered, unknown = (add_api_key(sql, "revocations:read") for _ in range(2))
    service = open_service(remembered, on=server)
    assert service.request("GET", "/revocations").status_code == 200
    for _ in range(ADDRESS):
        service.key = new_key()
        assert refused(service.request("GET", "/revocations")) == INVALID
    with postgres.logging_statements() as made:
        for key in (unknown, new_key(), "lk_mistyped"):
            service.key = key
            refusal = service.request("GET", "/revocations")
            assert refused(refusal) == LIMITED
            assert 0 < int(refusal.headers["retry-after"]) <= WINDOW
            assert limit(refusal) == (f"{ADDRESS};w={WINDOW}", str(ADDRESS), "0")
    assert made == []
    service.key = remembered
    assert service.request("GET", "/revocations").status_code == 200


@pytest.fixture
def store(require: Callable[[str], str], tmp_path: Path) -> Iterator[RedisServer]:
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
    assert [limit(each.request("GET", "/revocations"))[2] for each in (near, far)] == [str(KEY - 1), str(KEY - 2)]
    for _ in range(ADDRESS):
        near.key = new_key()
        assert refused(near.request("GET", "/revocations")) == INVALID
    far.key = add_api_key(own_sql, "revocations:read")
    assert refused(far.request("GET", "/revocations")) == LIMITED


def test_while_the_store_is_away_keys_still_work(
    start: Callable[..., Server], own_sql: Sql, open_service: Callable[..., Service], store: RedisServer
) -> None:
    """Uncounted, as every request then is."""
    server = start(RATE_LIMIT_STORAGE=f"redis://{store.address}", **SETTINGS)
    good = add_api_key(own_sql, "revocations:read")
    service = open_service(good, on=server)
    store.kill()
    for _ in range(KEY + 1):
        answer = service.request("GET", "/revocations")
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers
    service.key = new_key()
    assert refused(service.request("GET", "/revocations")) == INVALID
