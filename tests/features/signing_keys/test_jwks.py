"""GET /.well-known/jwks.json: for anybody, from memory, and with the next key in good time."""

from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql as compose

from tests.kit import plain_http
from tests.kit.browser import Browser
from tests.kit.key_rows import JWKS, add_key, age_keys, key_rows, listed_by, until_listed
from tests.kit.server import Server
from tests.kit.stored import Sql

Start = Callable[..., Server]


def test_is_bare_and_documented(browser: Browser) -> None:
    """A JWK set without an envelope (RFC 7517), in which nothing is private."""
    answer = browser.get(JWKS, cookies={})
    (key,) = answer.json()["keys"]
    assert answer.json().keys() == {"keys"}
    assert key.keys() == {"kid", "kty", "alg", "use", "crv", "x", "y"}
    assert (key["kty"], key["alg"], key["use"], key["crv"]) == ("EC", "ES256", "sig", "P-256")
    assert "set-cookie" not in answer.headers


def test_caches_may_keep_it(server: Server) -> None:
    """For five minutes. Afterwards they ask whether it has changed."""
    answer = plain_http.get(f"{server.url}{JWKS}")
    assert answer.headers["cache-control"] == "public, max-age=300"
    etag = answer.headers["etag"]
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = plain_http.get(f"{server.url}{JWKS}", headers={"If-None-Match": asked})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        assert same.headers["cache-control"] == "public, max-age=300"
    assert plain_http.get(f"{server.url}{JWKS}", headers={"If-None-Match": '"other"'}).json() == answer.json()


def test_a_change_changes_its_etag(start: Start, own_sql: Sql) -> None:
    server = start()
    before = plain_http.get(f"{server.url}{JWKS}")
    kids = {*listed_by(server), add_key(own_sql, signs_in=3_600)}
    age_keys(own_sql, seconds=0)
    until_listed(server, kids)
    after = plain_http.get(f"{server.url}{JWKS}", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]


@pytest.mark.parametrize("origin", ["https://app.example.org", "http://localhost:5173", "null"])
def test_pages_of_every_origin_may_read_it(start: Start, origin: str) -> None:
    """Without cookies, listed in CORS_ORIGINS or not; and no advice to list them is logged."""
    server = start()
    answer = plain_http.get(f"{server.url}{JWKS}", headers={"Origin": origin})
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "CORS_ORIGINS" not in server.printed()


def test_the_rate_limit_does_not_count_it(start: Start) -> None:
    """Many apps may share an address."""
    server = start(RATE_LIMIT="1/15 minutes")
    for _ in range(5):
        answer = plain_http.get(f"{server.url}{JWKS}")
        assert answer.status_code == 200
        assert "ratelimit-limit" not in answer.headers


def test_other_methods_are_refused(browser: Browser) -> None:
    assert browser.request("HEAD", JWKS).content == b""
    assert browser.delete(JWKS).status_code == 405


def test_lists_access_keys_that_wait_or_verify(start: Start, own_sql: Sql) -> None:
    """No key that has left, and none of another purpose."""
    server = start()
    (first,) = listed_by(server)
    waiting = add_key(own_sql, signs_in=3_600)
    verifying = add_key(own_sql, signs_in=-9_000, leaves_in=3_600)
    add_key(own_sql, signs_in=-9_000, leaves_in=-1)
    add_key(own_sql, signs_in=-9_000, purpose="oidc")
    age_keys(own_sql, seconds=0)
    until_listed(server, {first, waiting, verifying})


def test_is_served_while_the_database_is_away(start: Start, server_dsn: str, own_sql: Sql) -> None:
    server = start()
    name = urlsplit(server.dsn).path[1:]
    kids = [row["kid"] for row in key_rows(own_sql)]
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(
            compose.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(compose.Identifier(name))
        )
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    assert plain_http.get(f"{server.url}/readyz").status_code == 503
    assert listed_by(server) == kids
