"""Signing keys in the database, and what servers make of them. Rows are aged instead of waited for."""

import json
from typing import Any

from latchkey.sealing import Sealer
from latchkey.signing.keys import Algorithm, generate, public_jwk
from latchkey.signing.sealed import seal_private
from tests.kit import plain_http
from tests.kit.server import REFRESH_SECRET, Server
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

JWKS = "/.well-known/jwks.json"
NOTIFIED_SECONDS = 20.0
"""Within this time, a change of keys is known to every instance. The contract says two seconds, but the machine of the
tests may be busy. Without notifications it would take a minute."""


def add_key(
    sql: Sql,
    *,
    signs_in: float,
    leaves_in: float | None = None,
    alg: Algorithm = Algorithm.ES256,
    secret: str = REFRESH_SECRET,
    purpose: str = "access",
) -> str:
    """Stores a key whose private part `secret` seals, and returns its kid. Times are seconds from now."""
    key = generate(alg)
    kid = key.thumbprint()
    sql.execute(
        "INSERT INTO signing_keys (kid, purpose, alg, public_jwk, private_sealed, signs_from, leaves_at)"
        " VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s), now() + make_interval(secs => %s))",
        [
            kid,
            purpose,
            alg,
            json.dumps(public_jwk(key, alg)),
            seal_private(Sealer(secret), kid, key),
            signs_in,
            leaves_in,
        ],
    )
    return kid


def age_keys(sql: Sql, *, seconds: float) -> None:
    """Makes all keys so much older, as if the time had passed, and tells the instances."""
    sql.execute(
        "UPDATE signing_keys SET signs_from = signs_from - make_interval(secs => %(s)s),"
        " leaves_at = leaves_at - make_interval(secs => %(s)s), created_at = created_at - make_interval(secs => %(s)s)",
        {"s": seconds},
    )
    sql.execute("SELECT pg_notify('latchkey_changed', 'signing_keys')")


def key_rows(sql: Sql) -> list[dict[str, Any]]:
    """Returns all keys in the order in which they sign; times as seconds from now."""
    return sql.execute(
        "SELECT kid, alg, purpose, public_jwk, private_sealed, extract(epoch FROM signs_from - now())::float8 AS signs_in,"
        " extract(epoch FROM leaves_at - now())::float8 AS leaves_in FROM signing_keys ORDER BY signs_from"
    ).fetchall()


def key_events(sql: Sql) -> list[tuple[str, str]]:
    """Returns the audit rows of signing keys as kid and event, oldest first."""
    rows = sql.execute("SELECT * FROM audit_logs WHERE action = 'SIGNING_KEY' ORDER BY id").fetchall()
    assert all((row["entity_type"], row["entity_id"], row["actor_id"]) == ("signing_keys", None, None) for row in rows)
    return [(row["metadata"]["kid"], row["metadata"]["event"]) for row in rows]


def listed_by(server: Server) -> list[str]:
    """Returns the kids of the server's JWK set."""
    return [key["kid"] for key in plain_http.get(f"{server.url}{JWKS}").json()["keys"]]


def until_listed(server: Server, kids: set[str], *, within: float = NOTIFIED_SECONDS) -> None:
    """Waits until the server lists exactly these keys."""
    eventually(lambda: set(listed_by(server)) == kids, f"{server.url} lists {kids}", within=within)
