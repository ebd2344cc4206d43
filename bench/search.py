"""How long an admin waits for a list among a million users and audit rows: `make measure-search`.

Every filter alone, and pairs of them, the first page and the second, over HTTP with an API key.
"""

import itertools
import sys
import time
from statistics import median, quantiles
from urllib.parse import urlencode

import httpx
import psycopg

from bench.data import Secrets
from bench.servers import latchkey
from bench.services import create_api_key
from tests.kit.own_postgres import own_postgres

USERS = 1_000_000
REPEATS = 20
PAIRS = 20

# Names and domains of very different frequency: a third of all, one in a hundred, one in a hundred thousand.
LOAD = """
INSERT INTO users (name, email, password, role, email_verified_at, suspended_at, suspended_reason, is_deleted,
                   deleted_at, created_at)
SELECT (ARRAY['Ann', 'Bo', 'Chen', 'Dana', 'Eve', 'Farid', 'Gita', 'Hugo'])[1 + i % 8]
           || ' ' || (ARRAY['Bell', 'Smith', 'Li', 'Novak'])[1 + i % 4] || CASE WHEN i % 100 = 0 THEN ' Junior' ELSE '' END
           || CASE WHEN i % 100000 = 7 THEN ' Xylander' ELSE '' END,
       'user' || i || '@' || CASE WHEN i % 3 = 0 THEN 'example.com' WHEN i % 100 = 1 THEN 'example.org'
           ELSE 'host' || i % 5000 || '.example.net' END,
       '', CASE WHEN i % 100000 = 3 THEN 'admin' ELSE 'user' END, CASE WHEN i % 5 > 0 THEN now() END,
       CASE WHEN i % 50 = 2 THEN now() END, CASE WHEN i % 50 = 2 THEN 'Spam' END, i % 30 = 4,
       CASE WHEN i % 30 = 4 THEN now() END, now() - make_interval(secs => ({users} - i) * 100)
FROM generate_series(1, {users}) AS i
"""
LOAD_AUDIT = """
INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata, created_at)
SELECT CASE WHEN i % 3 > 0 THEN 1 + i % 100000 END,
       CASE WHEN i % 100000 = 5 THEN 'ERASE_USER' WHEN i % 4 = 0 THEN 'LOGIN_FAILED' ELSE 'LOGIN' END, 'users',
       1 + i % 100000,
       jsonb_build_object('ip', '10.0.' || i % 200 || '.' || i % 250)
           || CASE WHEN i % 5000 = 9 THEN jsonb_build_object('apiKeyId', 'abcdefghijkl') ELSE '{{}}' END,
       now() - make_interval(secs => ({users} - i) * 30)
FROM generate_series(1, {users}) AS i
"""
AUDIT_FILTERS = {
    "audit: all": {},
    "audit: actorId": {"actorId": "4711"},
    "audit: entityId": {"entityId": "4711"},
    "audit: action, most": {"action": "LOGIN"},
    "audit: action, one in 100 000": {"action": "ERASE_USER"},
    "audit: ip": {"ip": "10.0.7.7"},
    "audit: from, the newest day": {"from": "-1"},
    "audit: to, before 300 days": {"to": "-300"},
    "audit: one day long ago": {"from": "-200", "to": "-199"},
    "audit: apiKeyId and from": {"apiKeyId": "abcdefghijkl", "from": "-100"},
    "audit: action and ip": {"action": "LOGIN_FAILED", "ip": "10.0.8.8"},
    "audit: rare action, before 300 days": {"action": "ERASE_USER", "to": "-300"},
}
FILTERS = {
    "q=ann": {"q": "ann"},
    "q=ju": {"q": "ju"},
    "q=xylander": {"q": "xylander"},
    "q=user123": {"q": "user123"},
    "q=nothing": {"q": "nothing"},
    "email": {"email": "user500001@example.com"},
    "domain, a third": {"domain": "example.com"},
    "domain, one in 5000": {"domain": "host7.example.net"},
    "role=admin": {"role": "admin"},
    "role=user": {"role": "user"},
    "verified=true": {"verified": "true"},
    "verified=false": {"verified": "false"},
    "suspended=true": {"suspended": "true"},
    "suspended=false": {"suspended": "false"},
    "deleted=true": {"deleted": "true"},
    "deleted=any": {"deleted": "any"},
    "created, the newest day": {"createdFrom": "-1"},
    "created, before a thousand days": {"createdTo": "-1000"},
    "created, one day long ago": {"createdFrom": "-900", "createdTo": "-899"},
    "sort=email": {"sort": "email"},
}


def main() -> None:
    """Starts everything, measures and prints."""
    with own_postgres() as postgres:
        with psycopg.connect(postgres.dsn, autocommit=True) as connection:
            connection.execute(LOAD.format(users=USERS))
            connection.execute(LOAD_AUDIT.format(users=USERS))
            connection.execute("VACUUM ANALYZE users, audit_logs")
        keys = [create_api_key(postgres.dsn, scope) for scope in ("users:read", "audit:read")]
        with latchkey(postgres.dsn, Secrets.new()) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            client.headers["X-API-Key"] = keys[0]
            pairs = [
                pair
                for pair in itertools.combinations(FILTERS, 2)
                if not FILTERS[pair[0]].keys() & FILTERS[pair[1]].keys()
            ]
            chosen = pairs[:: max(1, len(pairs) // PAIRS)][:PAIRS]
            queries = {name: dict(query) for name, query in FILTERS.items()}
            queries |= {" & ".join(pair): FILTERS[pair[0]] | FILTERS[pair[1]] for pair in chosen}
            print("| list | median ms | p99 ms | rows |")
            print("| --- | ---: | ---: | ---: |")
            for name, query in queries.items():
                print_row(client, name, "/admin/users", days_to_times(query))
            client.headers["X-API-Key"] = keys[1]
            for name, query in AUDIT_FILTERS.items():
                print_row(client, name, "/admin/audit", days_to_times(query))


def days_to_times(query: dict[str, str]) -> dict[str, str]:
    """Returns the query with times in place of days from now."""
    now = time.time()
    stamps = {
        name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + int(value) * 86_400))
        for name, value in query.items()
        if name.startswith("created") or name in {"from", "to"}
    }
    return query | stamps


def print_row(client: httpx.Client, name: str, path: str, query: dict[str, str]) -> None:
    """Measures a list: its first page, and its second one."""
    times, rows = [], 0
    for _ in range(REPEATS):
        began = time.perf_counter()
        answer = client.get(f"{path}?{urlencode(query)}")
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            sys.exit(f"{name}: {answer.text}")
        rows = len(answer.json()["data"])
        cursor = answer.json()["meta"]["nextCursor"]
        if cursor is not None:
            began = time.perf_counter()
            client.get(f"{path}?{urlencode(query | {'cursor': cursor})}")
            times.append((time.perf_counter() - began) * 1000)
    print(f"| {name} | {median(times):.1f} | {quantiles(times, n=100)[-1]:.1f} | {rows} |", flush=True)


if __name__ == "__main__":
    main()
