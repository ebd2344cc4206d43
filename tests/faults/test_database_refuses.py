"""PostgreSQL answers, but cannot do it now: read-only, everything locked, or another transaction won."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql as compose

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.injecting import refusing
from tests.kit.racing import wait_for_blocked
from tests.kit.read_only_database import make_read_only
from tests.kit.routes import FORGOT_PASSWORD, LIST, LOGIN, ME, PATCH, REFRESH, REGISTER
from tests.kit.server import Server
from tests.kit.stored import Sql, audited, everything_of, live_sessions, user_row, users_with
from tests.kit.waiting import eventually

UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
# Conflicts of whole transactions: a serialization failure and a deadlock.
CONFLICTS = ["40001", "40P01"]
POOL = 10
LOCKED_BOUND_SECONDS = 12.0


@pytest.fixture
def own(start: Callable[..., Server]) -> Server:
    """A server on a database of the test's own."""
    return start()


@pytest.fixture
def owner(own: Server) -> Iterator[Sql]:
    """A connection to that database, in autocommit."""
    with psycopg.connect(own.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


def test_read_only_and_back(own: Server, owner: Sql, open_browser: Callable[..., Browser]) -> None:
    """On what has become a standby writes are refused, reads go on, and nobody is signed out;
    writes succeed again by themselves once it takes them."""
    browser = open_browser(own)
    user = browser.sign_up()
    before = everything_of(owner, user["id"])
    make_read_only(owner)
    writes = [PATCH, REGISTER, REFRESH, FORGOT_PASSWORD]
    for route in writes:
        response = route.call(browser, user["id"])
        assert refused(response) == UNAVAILABLE, route
        assert 0 < int(response.headers["retry-after"]) <= 2
        assert browser.set_cookies == []
    assert refused(browser.login(user["email"])) == UNAVAILABLE
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/auth/me").json()["data"] == user
    assert everything_of(owner, user["id"]) == before
    # Only for connections to come: those that there are must be given up, even if /readyz is all that is still asked.
    owner.execute(
        compose.SQL("ALTER DATABASE {} SET default_transaction_read_only = off").format(
            compose.Identifier(owner.info.dbname)
        )
    )
    eventually(lambda: browser.get("/readyz").status_code == 200, "it is ready again")
    assert [PATCH.call(browser, user["id"]).status_code, REFRESH.call(browser).status_code] == [200, 200]


def test_every_connection_waits_for_a_lock(own: Server, open_browser: Callable[..., Browser]) -> None:
    """Who waits for it, or for a connection, is told to
    come back in bounded time; what needs no database goes on, and so does everything once the lock is gone."""
    browsers = [open_browser(own) for _ in range(POOL * 2)]
    user = browsers[0].sign_up()
    for each in browsers[1:]:
        each.cookies, each.csrf = dict(browsers[0].cookies), browsers[0].csrf
        assert each.get("/healthz").status_code == 200
    calls = [LIST, LOGIN, REGISTER, PATCH, ME]
    with ThreadPoolExecutor(len(browsers)) as threads, psycopg.connect(own.dsn) as holder:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answers = [
            threads.submit(calls[number % len(calls)].call, each, user["id"]) for number, each in enumerate(browsers)
        ]
        wait_for_blocked(own.dsn, POOL)
        bystander = open_browser(own)
        assert bystander.get("/healthz").elapsed.total_seconds() < 1
        assert bystander.get("/readyz").status_code == 503
        assert bystander.fetch_csrf()
        for answer in answers:
            assert refused(answer.result()) == UNAVAILABLE
            assert "set-cookie" not in answer.result().headers
        assert time.monotonic() - began < LOCKED_BOUND_SECONDS
        holder.rollback()
    assert browsers[0].get("/auth/me").json()["data"] == user
    assert browsers[0].get("/readyz").status_code == 200


@contextmanager
def conflicting_twice(connection: Sql, table: str, state: str) -> Iterator[Callable[[], int]]:
    """Has the first two INSERTs into that table fail with that SQLSTATE; yields how often one was tried so far."""
    # A sequence goes on counting when its transaction is rolled back.
    connection.execute("CREATE SEQUENCE tries")
    connection.execute(
        compose.SQL(
            "CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'injected' USING ERRCODE = {}; END IF; RETURN NEW; END $$"
        ).format(compose.Literal(state))
    )
    on = compose.Identifier(table)
    connection.execute(
        compose.SQL("CREATE TRIGGER conflict BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION conflict()").format(on)
    )

    def tried() -> int:
        row = connection.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS n FROM tries").fetchone()
        assert row is not None
        return int(row["n"])

    yield tried
    connection.execute(compose.SQL("DROP TRIGGER conflict ON {}").format(on))
    connection.execute("DROP FUNCTION conflict")
    connection.execute("DROP SEQUENCE tries")


@pytest.mark.parametrize("state", CONFLICTS)
def test_a_conflict_is_tried_again(own: Server, owner: Sql, open_browser: Callable[..., Browser], state: str) -> None:
    """The third try commits, and
    there is one row of everything."""
    browser, email = open_browser(own), new_email()
    with conflicting_twice(owner, "audit_logs", state) as tried:
        response = browser.post("/auth/register", {"name": "Siam", "email": email, "password": PASSWORD})
        assert (response.status_code, tried()) == (201, 3)
    (user_id,) = users_with(owner, email)
    assert audited(owner, response) == [("CREATE_USER", user_id, user_id)]
    with conflicting_twice(owner, "sessions", state) as tried:
        response = browser.login(email)
        assert (response.status_code, tried()) == (200, 3)
    assert len(live_sessions(owner, user_id)) == 1
    assert audited(owner, response) == [("LOGIN", user_id, user_id)]
    with conflicting_twice(owner, "audit_logs", state) as tried:
        response = browser.patch(f"/users/{user_id}", {"name": "Once"})
        assert (response.status_code, tried()) == (200, 3)
    assert user_row(owner, user_id)["name"] == "Once"
    assert audited(owner, response) == [("UPDATE_USER", user_id, user_id)]


@pytest.mark.parametrize("state", CONFLICTS)
def test_a_conflict_that_stays(own: Server, owner: Sql, open_browser: Callable[..., Browser], state: str) -> None:
    """Given up after three tries, without a row, a session or a cookie."""
    browser, email = open_browser(own), new_email()
    user = browser.sign_up()
    before = everything_of(owner, user["id"])
    with refusing(owner, "INSERT", "audit_logs", "true", state):
        account = {"name": "Siam", "email": email, "password": PASSWORD}
        assert refused(browser.post("/auth/register", account)) == UNAVAILABLE
        assert refused(PATCH.call(browser, user["id"])) == UNAVAILABLE
    with refusing(owner, "INSERT", "sessions", "true", state):
        assert refused(browser.login(user["email"])) == UNAVAILABLE
        assert browser.set_cookies == []
    assert users_with(owner, email) == []
    assert everything_of(owner, user["id"]) == before
