"""Behind a real PgBouncer: nobody sees a 500, whatever it lends and whenever that changes."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.kit.browser import Browser, refused
from tests.kit.command_line import Result, answers, latchkey, spawn
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.pgbouncer import POOL_SIZE, PgBouncer, pgbouncer
from tests.kit.postgres_proxy import proxy
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.waiting import eventually

IS_CUT = "the feed of ended sessions is cut"
INVALID = (401, "INVALID_TOKEN", "Invalid token")
CLIENTS = 8
LEFT_BEHIND = """
SELECT current_setting('lock_timeout') AS lock_timeout, current_setting('statement_timeout') AS statement_timeout,
       current_setting('jit') AS jit, ARRAY(SELECT pg_listening_channels()) AS channels,
       ARRAY(SELECT name FROM pg_prepared_statements) AS statements,
       ARRAY(SELECT objid FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks,
       pg_backend_pid() AS process
"""
CLEAN: dict[str, Any] = {
    "lock_timeout": "0",
    "statement_timeout": "0",
    "jit": "on",
    "channels": [],
    "statements": [],
    "locks": [],
}

Start = Callable[..., Server]
Open = Callable[..., Browser]


@pytest.fixture
def program(require: Callable[[str], str]) -> str:
    """PgBouncer."""
    return require("pgbouncer")


@pytest.fixture
def by_transaction(program: str, database: str) -> Iterator[PgBouncer]:
    """One that lends connections by the transaction, in front of the test's database."""
    with pgbouncer(program, database, "transaction") as running:
        yield running


def left_behind(pooler: PgBouncer) -> list[dict[str, Any]]:
    """What is set, prepared, locked and listened for in each of the server processes that it lends."""
    with ExitStack() as open_now:
        connections = [open_now.enter_context(psycopg.connect(pooler.dsn)) for _ in range(POOL_SIZE)]
        for each in connections:
            each.prepare_threshold = None
        # In transactions at the same time, so that none gets the process of another.
        cursors = [each.cursor(row_factory=psycopg.rows.dict_row).execute(LEFT_BEHIND) for each in connections]
        found = [cursor.fetchone() or {} for cursor in cursors]
    assert len({each.pop("process") for each in found}) == POOL_SIZE
    return found


def use(browser: Browser, times: int) -> Counter[int]:
    """Registers, signs in, reads, changes, refreshes, signs out; how often which status was answered."""
    seen: Counter[int] = Counter()

    def note(response: httpx.Response) -> None:
        seen[response.status_code] += 1

    user = browser.register()
    for number in range(times):
        note(browser.login(user["email"]))
        for _ in range(6):
            note(browser.get("/auth/me"))
            note(browser.get(f"/users/{user['id']}"))
            note(browser.get("/users"))
        note(browser.patch(f"/users/{user['id']}", {"name": f"Name {number}"}))
        note(browser.get("/auth/sessions"))
        note(browser.post("/auth/refresh-token"))
        note(browser.get("/readyz"))
        note(browser.post("/auth/forgot-password", {"email": user["email"]}))
        kept = dict(browser.cookies)
        note(browser.post("/auth/logout"))
        assert refused(browser.get("/auth/me", cookies=kept)) == INVALID
    return seen


def use_all(browsers: list[Browser], *, times: int = 3, meanwhile: Callable[[], object] = lambda: None) -> Counter[int]:
    """All at once, and `meanwhile` when they have begun."""
    with ThreadPoolExecutor(len(browsers)) as threads:
        seen = [threads.submit(use, browser, times) for browser in browsers]
        meanwhile()
        return sum((each.result() for each in seen), Counter[int]())


def test_lending_by_the_transaction(by_transaction: PgBouncer, start: Start, open_browser: Open) -> None:
    """Two instances and eight clients on four server processes: every request is answered as always, and nothing stays
    in a process that somebody else may use next."""
    servers = [start(dsn=by_transaction.dsn, **ONE_INSTALLATION) for _ in range(2)]
    seen = use_all([open_browser(servers[number % 2]) for number in range(CLIENTS)], times=10)
    assert set(seen) == {200}
    assert seen.total() >= 2000
    for server in servers:
        assert server.printed().count(IS_CUT) == 1
        assert "behind a pooler that lends connections by the transaction" in server.printed()
        assert "Traceback" not in server.printed()
    assert left_behind(by_transaction) == [CLEAN] * POOL_SIZE
    # Without notifications each request asks.
    here, there = open_browser(servers[0]), open_browser(servers[1])
    user = here.sign_up()
    there.cookies = dict(here.cookies)
    assert there.get("/auth/me").json()["data"]["id"] == user["id"]
    here.post("/auth/logout")
    assert refused(there.get("/auth/me")) == INVALID


def test_commands(program: str, empty_database: str, tmp_path: Path) -> None:
    """Several migrate a new database at once, and one of them does it; what they set does not stay."""
    with pgbouncer(program, empty_database, "transaction") as pooler:
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(lambda _: latchkey("migrate", directory=tmp_path, dsn=pooler.dsn), range(2)))
        assert [result.code for result in done] == [0, 0], done
        assert sorted(result.out.split()[0] for result in done) == ["Created", "Nothing"]
        assert left_behind(pooler) == [CLEAN] * POOL_SIZE
        created = latchkey(
            *("users", "create", "--name", "Siam", "--email", "siam@example.com", "--json"),
            directory=tmp_path,
            dsn=pooler.dsn,
            answer="Secret123!\n",
        )
        assert created.json()["email"] == "siam@example.com"
        assert latchkey("purge", directory=tmp_path, dsn=pooler.dsn).code == 0
        report = latchkey("doctor", "--json", directory=tmp_path, dsn=pooler.dsn).json()
        (finding,) = [each for each in report["findings"] if each["check"] == "pooler"]
        assert finding["level"] == "warning"
        assert "by the transaction" in finding["message"]
        assert left_behind(pooler) == [CLEAN] * POOL_SIZE


def test_serve_migrates(program: str, empty_database: str, tmp_path: Path, open_browser: Open) -> None:
    """As a container starts: nothing but `serve --migrate` on a new database."""
    with pgbouncer(program, empty_database, "transaction") as pooler:
        server = spawn("serve", "--migrate", directory=tmp_path, dsn=pooler.dsn)
        try:
            eventually(lambda: answers(server), "it serves")
            assert open_browser(server).sign_up()
        finally:
            server.kill()


def test_a_migration_that_fails_is_undone(program: str, empty_database: str, tmp_path: Path) -> None:
    """In one transaction: a revision that cannot be done takes all others along."""
    with psycopg.connect(empty_database) as sql:
        sql.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY CHECK (version_num < '0007'))")
    with pgbouncer(program, empty_database, "transaction") as pooler:
        refusal = latchkey("migrate", directory=tmp_path, dsn=pooler.dsn).refusal()
        assert "(23514)" in refusal
        assert "Nothing was changed; run it again." in refusal
        with psycopg.connect(empty_database) as sql:
            assert sql.execute("SELECT to_regclass('users')").fetchone() == (None,)
            sql.execute("ALTER TABLE alembic_version DROP CONSTRAINT alembic_version_version_num_check")
        assert latchkey("migrate", directory=tmp_path, dsn=pooler.dsn).out.startswith("Created the schema")
        assert left_behind(pooler) == [CLEAN] * POOL_SIZE


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A PostgreSQL whose statements can be read."""
    with own_postgres() as running:
        yield running


def prepared(postgres: OwnPostgres, browser: Browser) -> bool:
    """Whether statements are prepared, by what PostgreSQL logs of a request."""
    with postgres.logging_statements() as made:
        assert browser.get("/auth/me").status_code == 200
    return bool(made)


def test_lending_for_a_session(program: str, postgres: OwnPostgres, start: Start, open_browser: Open) -> None:
    """Once it is proved that notifications arrive, everything is as without a pooler: statements are prepared, and who
    is asking costs none. Told to lend by the transaction from now on, it is noticed, and nobody sees anything of it."""
    with pgbouncer(program, postgres.dsn, "session", default_pool_size=40) as pooler:
        servers = [start(dsn=pooler.dsn, **ONE_INSTALLATION) for _ in range(2)]
        browsers = [open_browser(servers[number % 2]) for number in range(CLIENTS)]
        for browser in browsers[:2]:
            browser.sign_up()
            eventually(lambda browser=browser: prepared(postgres, browser), "statements are prepared")
        assert set(use_all(browsers)) == {200}
        for server in servers:
            assert IS_CUT not in server.printed()
        # Less than the sessions that it has lent, so that they change hands.
        seen = use_all(browsers, meanwhile=lambda: pooler.reload(pool_mode="transaction", default_pool_size=3))
        assert set(seen) == {200}
        for server in servers:
            eventually(lambda server=server: IS_CUT in server.printed(), "it notices")
            assert "Traceback" not in server.printed()
        assert set(use_all(browsers)) == {200}
        browsers[0].sign_up()
        assert not prepared(postgres, browsers[0])


def test_lending_by_the_statement(
    program: str, database: str, start: Start, open_browser: Open, tmp_path: Path
) -> None:
    """No transaction can run: that is said at the start, and whom it befalls later is not ready until it is over."""
    with pgbouncer(program, database, "statement") as pooler:
        by_statement = "lends connections by the statement"
        for command in (["serve"], ["migrate"], ["users", "list"]):
            assert by_statement in latchkey(*command, directory=tmp_path, dsn=pooler.dsn).refusal()
        doctor = latchkey("doctor", directory=tmp_path, dsn=pooler.dsn)
        assert doctor.code == 1
        assert f"problem  database: cannot be used: a pooler on the way {by_statement}" in doctor.out

        pooler.reload(pool_mode="transaction")
        browser = open_browser(start(dsn=pooler.dsn))
        browser.sign_up()
        pooler.reload(pool_mode="statement")
        assert browser.post("/auth/logout").status_code == 503
        assert browser.get("/readyz").status_code == 503
        pooler.reload(pool_mode="transaction")
        eventually(lambda: browser.get("/readyz").status_code == 200, "it is ready again")
        assert browser.post("/auth/logout").status_code == 200


def test_a_pooler_where_there_was_none(program: str, database: str, start: Start, open_browser: Open) -> None:
    """Somebody puts it between, at the address that PostgreSQL had; and takes it away again."""
    with proxy(database) as straight:
        server = start(dsn=straight.dsn)
        browsers = [open_browser(server) for _ in range(CLIENTS)]
        use_all(browsers)
        port = urlsplit(straight.dsn).port or 0
    with pgbouncer(program, database, "transaction", port=port):
        eventually(lambda: browsers[0].get("/readyz").status_code == 200, "it is ready again")
        assert set(use_all(browsers)) == {200}
        eventually(lambda: server.printed().count(IS_CUT) == 1, "it notices")
    assert browsers[0].get("/readyz").status_code == 503
    with proxy(database, port=port):
        eventually(lambda: browsers[0].get("/readyz").status_code == 200, "it is ready again")
        eventually(lambda: "works again" in server.printed(), "the feed works again")
        assert set(use_all(browsers)) == {200}
    assert "Traceback" not in server.printed()


def test_settings_in_the_url(program: str, database: str, tmp_path: Path) -> None:
    """PgBouncer refuses most of them; what to do instead is said. What it is told to ignore must not be the place where
    tables are looked for."""

    def users(setting: str) -> Result:
        return latchkey("users", "list", directory=tmp_path, dsn=f"{pooler.dsn}&{setting}")

    with pgbouncer(program, database, "transaction") as pooler:
        for setting in ("search_path=public", "options=-c%20statement_timeout%3D1000"):
            name = "search_path" if "search_path" in setting else "statement_timeout"
            refusal = users(setting).refusal()
            assert f"refuses the setting {name} of DATABASE_URL" in refusal
            assert f"ALTER ROLE … SET {name} = …" in refusal
        assert users("application_name=accounts&connect_timeout=5&keepalives=1").code == 0
    ignored = "search_path, statement_timeout"
    with pgbouncer(program, database, "transaction", ignore_startup_parameters=ignored) as pooler:
        assert "ignores the setting search_path of DATABASE_URL" in users("options=-csearch_path%3Delsewhere").refusal()
        assert users("statement_timeout=1000").code == 0
