"""What it costs to ask who is calling, in each way that there is: `make measure-services`.

CPU microseconds of the server for one answer, beside those of `GET /users/:id` by cookie, measured in turns. Two servers
with a database each: one signs access tokens with ES256, the other with HS256, for the cost of a refresh.
"""

import os
import random
from contextlib import ExitStack
from statistics import median
from urllib.parse import urlsplit

import psycopg

from bench.data import Secrets, SignedIn, load_users, sign_in, tokens_of
from bench.load import closed_loop
from bench.operations import Accounts, Operation, RefreshScript, Script, Wire
from bench.servers import Target, latchkey
from latchkey.features.api_keys.key_format import new_key, read_key
from latchkey.http.request_kind import Transport
from latchkey.sessions.tokens import Tokens
from tests.kit.own_postgres import own_postgres
from tests.kit.signing_keys import read_key as read_signing_key

ISSUER = "https://accounts.example.com"
USERS = 10_000
SESSIONS = 1_000
VARIANTS = 8_000
CONNECTIONS = 32
SECONDS = 3.0
ROUNDS = 5


class Sessions:
    """Sessions of one server's users."""

    def __init__(self, dsn: str, tokens: Tokens) -> None:
        self._dsn, self._tokens = dsn, tokens

    def open(self, count: int, transport: Transport = Transport.COOKIE) -> list[SignedIn]:
        """Opens sessions of users chosen at random."""
        return sign_in(self._dsn, self._tokens, random.sample(range(1, USERS + 1), count), transport)


def raw(target: Target, method: str, path: str, headers: dict[str, str], body: str = "") -> bytes:
    """A whole request."""
    sent = {"Host": urlsplit(target.url).netloc, "User-Agent": "latchkey-bench", "Accept": "*/*"} | headers
    if body:
        sent |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items()), "", body]).encode()


def reads(target: Target, headers: list[dict[str, str]], path: str = "/users/{id}") -> Script:
    """Reads of users chosen at random, or of one path, with one of those headers each."""
    ids = random.choices(range(1, USERS + 1), k=VARIANTS)  # noqa: S311 no secret
    return Script([raw(target, "GET", path.format(id=each), headers[n % len(headers)]) for n, each in enumerate(ids)])


def create_api_key(dsn: str, scope: str) -> str:
    """Stores an API key with that scope, and returns it."""
    text = new_key()
    key = read_key(text)
    assert key is not None
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO api_keys (id, name, secret_hash, scopes) VALUES (%s, 'bench', %s, %s)",
            [key.id, key.hash, [scope]],
        )
    return text


def main() -> None:
    """Starts everything, measures and prints."""
    signing = Secrets.new()
    with ExitStack() as stack:
        postgres = [stack.enter_context(own_postgres()) for _ in range(2)]
        load_users(postgres[1].dsn, USERS)
        # Without a session in its database, the first server makes a key. The other one has sessions, and makes none.
        by_key = stack.enter_context(
            latchkey(postgres[0].dsn, signing, token_issuer=ISSUER, trusted_proxies="127.0.0.1")
        )
        by_secret = stack.enter_context(latchkey(postgres[1].dsn, signing))
        load_users(postgres[0].dsn, USERS)
        key = read_signing_key(postgres[0].dsn, signing.refresh)
        assert key is not None, "a new installation signs with a key"
        sessions = Sessions(postgres[0].dsn, tokens_of(signing, key, ISSUER))
        of_secret = Sessions(postgres[1].dsn, tokens_of(signing))
        cookies = [{"Cookie": f"accessToken={each.access}"} for each in sessions.open(SESSIONS)]
        # A proxy says the method of the request that it asks about; by cookie, the answer depends on it.
        asked = [each | {"X-Forwarded-Method": "GET"} for each in cookies]
        native = sessions.open(SESSIONS, Transport.BEARER)
        bearer = [{"Authorization": f"Bearer {each.access}"} for each in native]
        api_key = {"X-API-Key": create_api_key(postgres[0].dsn, "tokens:introspect")}
        introspections = Script(
            [raw(by_key, "POST", "/oauth/introspect", api_key, f"token={each.access}") for each in native]
        )
        measured: list[tuple[str, int, Target, Script]] = [
            ("GET /users/:id, cookie", 200, by_key, reads(by_key, cookies)),
            ("GET /users/:id, bearer token", 200, by_key, reads(by_key, bearer)),
            ("GET /auth/check, cookie", 204, by_key, reads(by_key, asked, "/auth/check")),
            ("GET /auth/check, bearer token", 204, by_key, reads(by_key, bearer, "/auth/check")),
            ("GET /auth/check?profile=1", 204, by_key, reads(by_key, bearer, "/auth/check?profile=1")),
            ("POST /oauth/introspect, API key", 200, by_key, introspections),
            ("POST /auth/refresh-token, HS256", 200, by_secret, RefreshScript(Wire(by_secret), of_secret.open(64))),
            ("POST /auth/refresh-token, ES256", 200, by_key, RefreshScript(Wire(by_key), sessions.open(64))),
        ]
        print_table(measured)


def print_table(measured: list[tuple[str, int, Target, Script]]) -> None:
    """Measures all in turns, and prints the medians."""
    micros: dict[str, list[float]] = {title: [] for title, *_ in measured}
    bad = dict.fromkeys(micros, 0)
    for _ in range(ROUNDS):
        for title, expected, target, script in measured:
            is_brief = not isinstance(script, RefreshScript)
            operation = Operation(title, title, expected, _no_script, brief=is_brief)
            load = closed_loop(operation, target, script, CONNECTIONS, SECONDS)
            micros[title].append((load.worker_cpu or 0.0) * 1e6 / load.answers)
            bad[title] += load.bad.total()
    reference = median(micros["GET /users/:id, cookie"])
    print(f"{os.cpu_count()} cores, with PostgreSQL and {CONNECTIONS} connections on them; {ROUNDS} rounds in turns")
    print("| request | CPU µs | x GET /users/:id, cookie | bad |")
    print("| --- | ---: | ---: | ---: |")
    for title, values in micros.items():
        print(f"| {title} | {median(values):.0f} | {median(values) / reference:.2f} | {bad[title]} |")


def _no_script(_: Wire, __: Accounts) -> Script:
    raise AssertionError("the scripts are made beforehand")


if __name__ == "__main__":
    main()
