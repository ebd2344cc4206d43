"""How much each operation asks of PostgreSQL: what does not depend on the clock, so that a slow path cannot slip in."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.forging import genuine_access
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.postgres_proxy import Loses, proxy
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.waiting import eventually

Operation = Callable[[Browser, int], object]


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL whose statements can be read."""
    with own_postgres() as running:
        yield running


# Each statement by its beginning; those of a change between BEGIN and COMMIT.
OPERATIONS: dict[str, tuple[Operation, list[str]]] = {
    "csrf-token": (lambda browser, _: browser.get("/auth/csrf-token"), []),
    "me": (lambda browser, _: browser.get("/auth/me"), ["SELECT id, name, email FROM users"]),
    "user by id": (lambda browser, user_id: browser.get(f"/users/{user_id}"), ["SELECT id, name, email FROM users"]),
    "page of users": (lambda browser, _: browser.get("/users"), ["SELECT counted.total"]),
    "refresh": (lambda browser, _: browser.post("/auth/refresh-token"), ["UPDATE sessions SET token_hash"]),
    "sessions": (lambda browser, _: browser.get("/auth/sessions"), ["SELECT id, created_at, last_used_at"]),
    "forgot-password": (
        lambda browser, _: browser.post("/auth/forgot-password", {"email": new_email("nobody")}),
        ["INSERT INTO mail_outbox"],
    ),
    "register": (
        lambda browser, _: browser.register(),
        ["BEGIN", "INSERT INTO users", "INSERT INTO audit_logs", "COMMIT"],
    ),
    "change of name": (
        lambda browser, user_id: browser.patch(f"/users/{user_id}", {"name": "Renamed"}),
        ["BEGIN", "SELECT id, name, email FROM users", "UPDATE users SET name", "INSERT INTO audit_logs", "COMMIT"],
    ),
    "logout": (
        lambda browser, _: browser.post("/auth/logout"),
        ["BEGIN", "UPDATE sessions SET ended_at", "INSERT INTO audit_logs", "COMMIT"],
    ),
    "failed login": (
        lambda browser, _: browser.login(new_email("nobody"), PASSWORD),
        ["SELECT id, name, email, password", "BEGIN", "INSERT INTO audit_logs", "COMMIT"],
    ),
}
LOGIN = [
    *("SELECT id, name, email, password", "BEGIN", "SELECT role, token_claims", "UPDATE sessions SET ended_at"),
    *("INSERT INTO sessions", "INSERT INTO audit_logs", "COMMIT"),
]


def begins(made: list[str], expected: list[str]) -> bool:
    """Whether the statements are those, by their beginnings."""
    return len(made) == len(expected) and all(map(str.startswith, made, expected))


def test_each_operation(
    postgres: OwnPostgres, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """No operation makes a statement more than it needs."""
    server = start(dsn=postgres.dsn)
    for name, (operation, expected) in OPERATIONS.items():
        seen: list[str] = []
        # Once before: a new connection learns the types of a statement.
        for browser in (open_browser(server), open_browser(server)):
            user = browser.sign_up()
            browser.fetch_csrf()
            with postgres.logging_statements() as made:
                operation(browser, user["id"])
            seen = made
        assert begins(seen, expected), f"{name}: {seen}"
    browser = open_browser(server)
    user = browser.register()
    browser.fetch_csrf()
    with postgres.logging_statements() as made:
        browser.login(user["email"])
    assert begins(made, LOGIN), made


def test_an_ended_session_costs_nothing(
    postgres: OwnPostgres, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    browser = open_browser(start(dsn=postgres.dsn))
    browser.sign_up()
    kept = dict(browser.cookies)
    browser.post("/auth/logout")
    with postgres.logging_statements() as made:
        assert browser.get("/auth/me", cookies=kept).status_code == 401
    assert made == []


IS_LIVE, ROW, PROFILE = "SELECT 1 FROM sessions", "SELECT sessions.id, role", "SELECT id, name, CASE WHEN"
# The query of a check, and what the access token says otherwise than a new one.
CHECKS: dict[tuple[str, str], list[str]] = {
    ("", ""): [],
    ("?role=admin", ""): [],
    ("?maxAge=300", ""): [],
    ("?maxAge=300", "auth_time"): [ROW],
    ("", "role"): [ROW],
    ("?role=admin&maxAge=300", "role"): [ROW],
    ("?profile=1", ""): [PROFILE],
    ("?profile=1&maxAge=300", "auth_time"): [ROW, PROFILE],
}


def test_checks_for_a_proxy(
    postgres: OwnPostgres, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """A proxy asks for each request to an app. The token answers, but for what it does not say or says too old."""
    server = start(dsn=postgres.dsn, TRUSTED_PROXIES="127.0.0.1")
    for (query, lacks), expected in CHECKS.items():
        status, made = _check(postgres, open_browser(server), query, lacks)
        assert begins(made, expected), f"{query}, {lacks}: {made}"
        assert status == (403 if "admin" in query else 204)


def test_checks_for_a_proxy_while_the_feed_is_cut(
    postgres: OwnPostgres, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """Then each asks whether its session has ended, too."""
    with proxy(postgres.dsn, Loses.ALL) as pooler:
        server = start(dsn=pooler.dsn, TRUSTED_PROXIES="127.0.0.1")
        eventually(lambda: "the feed of ended sessions is cut" in server.printed(), "it notices")
        for (query, lacks), expected in CHECKS.items():
            _, made = _check(postgres, open_browser(server), query, lacks)
            assert begins(made, [IS_LIVE, *expected]), f"{query}, {lacks}: {made}"
        ended = open_browser(server)
        ended.sign_up()
        kept = dict(ended.cookies)
        ended.post("/auth/logout")
        assert ended.get("/auth/check", headers=READS, cookies=kept).status_code == 401
        server.kill()


def test_what_servers_ask(
    postgres: OwnPostgres,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    open_service: Callable[..., Service],
) -> None:
    """With a key that is remembered: nothing is asked about the key."""
    server = start(dsn=postgres.dsn)
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        service = open_service(add_api_key(sql, "tokens:introspect", "revocations:read"), on=server)
    browser = open_browser(server)
    browser.sign_up()
    token = browser.cookies["accessToken"]
    operations: dict[str, tuple[Callable[[str], object], list[str]]] = {
        "good token": (lambda _: service.introspect(token), ["SELECT sessions.id, user_id FROM sessions"]),
        "no token": (lambda _: service.introspect("x"), []),
        "no form": (lambda _: service.form(""), []),
        "first revocations": (lambda _: service.revocations(), ["SELECT now() AS read_at"]),
        "no new revocations": (service.revocations, ["SELECT at, tally.number"]),
    }
    for name, (operation, expected) in operations.items():
        lists = []
        for _ in range(4):
            # Remembers the key, whose use is stored once a minute, and gives a cursor of now.
            cursor = service.revocations()["cursor"]
            with postgres.logging_statements() as made:
                operation(cursor)
            lists.append(made)
        # A new connection learns the types of a statement.
        assert begins(min(lists, key=len), expected), f"{name}: {lists}"


READS = {"X-Forwarded-Method": "GET"}


def _check(postgres: OwnPostgres, browser: Browser, query: str, lacks: str) -> tuple[int, list[str]]:
    """Signs somebody in and checks them; returns the status and the statements of the check.

    Those of several are made, and the shortest list counts: a new connection learns the types of a statement.
    """
    browser.sign_up()
    if lacks:
        browser.cookies["accessToken"] = genuine_access(browser).changed(without=lacks)
    status, lists = 0, []
    for _ in range(4):
        with postgres.logging_statements() as made:
            status = browser.get(f"/auth/check{query}", headers=READS).status_code
        lists.append(made)
    return status, min(lists, key=len)
