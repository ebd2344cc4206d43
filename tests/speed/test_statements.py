"""How much each operation asks of PostgreSQL: what does not depend on the clock, so that a slow path cannot slip in."""

from collections.abc import Callable, Iterator

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.server import Server

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
