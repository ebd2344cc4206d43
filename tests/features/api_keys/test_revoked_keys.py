"""A key that ends is refused on every instance in time, also while no notification arrives there."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.kit.browser import refused
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.postgres_proxy import Loses, proxy
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key, id_of
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

INVALID = (401, "INVALID_API_KEY", "Invalid API key")
IS_CUT = "the feed of ended sessions is cut"
REVOKE = "UPDATE api_keys SET revoked_at = now() WHERE id = %s"


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A server of this module's own."""
    with own_postgres() as postgres:
        yield postgres


@pytest.fixture
def sql(postgres: OwnPostgres) -> Iterator[Sql]:
    """A connection to its database."""
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


def test_where_no_notification_arrives_each_request_asks(
    postgres: OwnPostgres, sql: Sql, start: Callable[..., Server], open_service: Callable[..., Service]
) -> None:
    """As behind a pooler that lends connections by the transaction: a revoked key is refused by the next request."""
    with proxy(postgres.dsn, Loses.ALL) as pooler:
        server = start(dsn=pooler.dsn)
        eventually(lambda: IS_CUT in server.printed(), "the feed is cut")
        for _ in range(3):
            service = open_service(add_api_key(sql, "revocations:read"), on=server)
            assert service.request("GET", "/revocations").status_code == 200
            sql.execute(REVOKE, [id_of(service.key or "")])
            assert refused(service.request("GET", "/revocations")) == INVALID
        server.kill()


def test_a_feed_that_is_lost_takes_the_memory_with_it(
    postgres: OwnPostgres, sql: Sql, start: Callable[..., Server], open_service: Callable[..., Service]
) -> None:
    """What happened while an instance was not told is known when it is told again, at the latest after 2 s."""
    with proxy(postgres.dsn) as line:
        server = start(dsn=line.dsn)
        service = open_service(add_api_key(sql, "revocations:read"), on=server)
        assert service.request("GET", "/revocations").status_code == 200
        with line.feeds_paused():
            # Nothing notifies of this: it stands for a notification that is lost with the connection.
            sql.execute(REVOKE, [id_of(service.key or "")])
            eventually(lambda: service.request("GET", "/revocations").status_code == 401, "it is refused", within=2.0)
        server.kill()


def test_without_a_database_nobody_can_be_asked(
    postgres: OwnPostgres, sql: Sql, start: Callable[..., Server], open_service: Callable[..., Service]
) -> None:
    """A key is then neither good nor bad: 503, and the address is not held guilty."""
    server = start(dsn=postgres.dsn, RATE_LIMIT="3/15 minutes")
    service = open_service(add_api_key(sql, "revocations:read"), on=server)
    postgres.stop()
    try:
        for _ in range(5):
            assert refused(service.request("GET", "/revocations"))[:2] == (503, "SERVICE_UNAVAILABLE")
    finally:
        postgres.start()
    eventually(lambda: service.request("GET", "/revocations").status_code == 200, "it works again")
