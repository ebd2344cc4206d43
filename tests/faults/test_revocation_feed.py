"""Ended sessions are refused on every instance: at once while the feed works, and through whatever happens to it.

`near` and `far` are two server processes on one PostgreSQL; `far` reaches it through a proxy of the tests' own.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_hex
from uuid import uuid4

import httpx
import psycopg
import pytest

from latchkey.sessions.claims import TokenKind
from latchkey.sessions.feed import PROVEN_FOR_SECONDS
from tests.kit import plain_http
from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import refresh_with
from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.postgres_proxy import Loses, Proxy, proxy
from tests.kit.processes import worker_of
from tests.kit.routes import minted
from tests.kit.server import ONE_INSTALLATION, Server, start_server
from tests.kit.stored import Sql, plant_reset_token
from tests.kit.waiting import eventually

INVALID = (401, "INVALID_TOKEN", "Invalid token")
BOUND_SECONDS = 2.0
"""What the contract allows between the acknowledgement of an ending and its last acceptance, anywhere."""
# Asks for nothing but who is asking: a path value that is refused right after the guard, without any database.
ASKS_ONLY_WHO = "/users/x"
ACCEPTED, REFUSED, CANNOT_ASK = 400, 401, 503
NEW_PASSWORD = "Changed456!"
CUT_FEEDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT 1'"
WORKS_AGAIN = "the feed of ended sessions works again"
IS_CUT = "the feed of ended sessions is cut"


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    """A server of this module's own; each test leaves it running."""
    with own_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def line(postgres: OwnPostgres) -> Iterator[Proxy]:
    """The line between `far` and PostgreSQL; each test leaves it forwarding."""
    with proxy(postgres.dsn) as line:
        yield line


@pytest.fixture(scope="module")
def servers(
    postgres: OwnPostgres, line: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Both instances."""
    directory = tmp_path_factory.mktemp("instances")
    started = [start_server(dsn, directory, **ONE_INSTALLATION) for dsn in (postgres.dsn, line.dsn)]
    yield started[0], started[1]
    for each in started:
        each.kill()


@pytest.fixture
def sql(postgres: OwnPostgres) -> Iterator[Sql]:
    """A connection to their database."""
    with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
def near(servers: tuple[Server, Server], sql: Sql) -> Server:
    """The instance on which sessions end; both feeds work."""
    until_feeds_work(sql, 2)
    return servers[0]


@pytest.fixture
def far(servers: tuple[Server, Server], near: Server) -> Server:
    """The other one."""
    assert near is servers[0]
    return servers[1]


def until_feeds_work(sql: Sql, count: int) -> None:
    """Waits until so many feeds send heartbeats, which they do once they are set up."""
    query = "SELECT FROM pg_stat_activity WHERE query = 'SELECT 1' AND state = 'idle'"
    eventually(lambda: sql.execute(query).rowcount == count, f"{count} feeds work")


@dataclass(frozen=True, slots=True)
class Probe:
    """One question whether a token is accepted; times by this machine's monotonic clock."""

    sent: float
    answered: float
    status: int


def probe(server: Server, cookies: dict[str, str]) -> Probe:
    """Asks once."""
    sent = time.monotonic()
    header = {"Cookie": f"accessToken={cookies['accessToken']}"}
    status = plain_http.get(f"{server.url}{ASKS_ONLY_WHO}", headers=header, timeout=30).status_code
    return Probe(sent, time.monotonic(), status)


def probes(server: Server, cookies: dict[str, str], *, seconds: float, every: float = 0.02) -> list[Probe]:
    """Asks again and again for so long, never waiting for an answer before the next question."""

    async def ask(client: httpx.AsyncClient) -> Probe:
        sent = time.monotonic()
        status = (await client.get(ASKS_ONLY_WHO)).status_code
        return Probe(sent, time.monotonic(), status)

    async def ask_all() -> list[Probe]:
        header = {"Cookie": f"accessToken={cookies['accessToken']}"}
        limits = httpx.Limits(max_connections=None)
        async with plain_http.async_client(base_url=server.url, headers=header, timeout=30, limits=limits) as client:
            asked = []
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                asked.append(asyncio.create_task(ask(client)))
                await asyncio.sleep(every)
            return list(await asyncio.gather(*asked))

    return asyncio.run(ask_all())


def until_refused(server: Server, cookies: dict[str, str], since: float) -> None:
    """Asks until the token is refused, which must come within the bound after `since`."""
    while (asked := probe(server, cookies)).status != REFUSED:
        assert asked.status == ACCEPTED, asked
        assert asked.answered - since <= BOUND_SECONDS, f"accepted {asked.answered - since:.2f} s after its end"


def signed_in(server: Server, open_browser: Callable[..., Browser], count: int = 1) -> list[Browser]:
    """Browsers of one new user."""
    browsers = [open_browser(server) for _ in range(count)]
    user = browsers[0].sign_up()
    for each in browsers[1:]:
        assert each.login(user["email"]).status_code == 200
    return browsers


def log_out(browser: Browser) -> float:
    """Ends a browser's session; its cookies stay in the jar. Returns when that was acknowledged."""
    kept = dict(browser.cookies)
    assert browser.post("/auth/logout").status_code == 200
    acknowledged = time.monotonic()
    browser.cookies.update(kept)
    return acknowledged


@pytest.mark.parametrize(
    "ending", ["logout", "login over it", "revoked", "others revoked", "change", "reset", "deletion", "reuse"]
)
def test_every_ending_reaches_the_other_instance(
    near: Server, far: Server, open_browser: Callable[..., Browser], sql: Sql, ending: str
) -> None:
    """What ends a session on one instance ends it there at once and on the other soon, and a
    session of somebody else goes on."""
    lost, other = signed_in(near, open_browser, 2)
    (bystander,) = signed_in(near, open_browser)
    cookies = dict(lost.cookies)
    user = other.get("/auth/me").json()["data"]
    assert probe(far, cookies).status == ACCEPTED
    spent = cookies["refreshToken"]
    reset = token_hex(32)
    plant_reset_token(sql, user["id"], reset)
    calls: dict[str, Callable[[], httpx.Response]] = {
        "logout": lambda: lost.post("/auth/logout"),
        "login over it": lambda: lost.login(user["email"]),
        "revoked": lambda: other.delete(f"/auth/sessions/{claims_of(spent)['sid']}"),
        "others revoked": lambda: other.delete("/auth/sessions"),
        "change": lambda: other.post(
            "/auth/change-password", {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        ),
        "reset": lambda: other.post("/auth/reset-password", {"token": reset, "newPassword": NEW_PASSWORD}),
        "deletion": lambda: other.delete(f"/users/{user['id']}"),
        "reuse": lambda: refresh_with(lost, spent),
    }
    if ending == "reuse":
        assert lost.post("/auth/refresh-token").status_code == 200
    response = calls[ending]()
    acknowledged = time.monotonic()
    assert response.status_code == (401 if ending == "reuse" else 200), response.text
    assert refused(lost.get("/auth/me", cookies=cookies)) == INVALID, "on this instance from that moment on"
    until_refused(far, cookies, acknowledged)
    assert [probe(each, bystander.cookies).status for each in (near, far)] == [ACCEPTED, ACCEPTED]


def test_a_healthy_instance_asks_nothing(
    near: Server, far: Server, postgres: OwnPostgres, open_browser: Callable[..., Browser]
) -> None:
    """Who is asking costs no statement while the feed works; /auth/me makes one, its own."""
    (browser,) = signed_in(near, open_browser)
    browsers = [browser, open_browser(far)]
    browsers[1].cookies = dict(browser.cookies)
    for each in browsers:
        assert each.get("/auth/me").status_code == 200
    with postgres.logging_statements() as made:
        for each in browsers:
            for _ in range(20):
                assert each.get("/auth/me").status_code == 200
                assert each.get(ASKS_ONLY_WHO).status_code == ACCEPTED
    assert len(made) == 40, made
    assert {statement.split(" WHERE")[0] for statement in made} == {"SELECT id, name, email FROM users"}


def test_feeds_that_are_killed(near: Server, far: Server, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Never longer than the bound."""
    for browser in signed_in(near, open_browser, 6):
        sql.execute(CUT_FEEDS)
        until_refused(far, browser.cookies, log_out(browser))


def test_ended_before_the_feed_is_back(
    near: Server, far: Server, line: Proxy, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """It is read when the feed comes back, before it is believed again."""
    lost, live = signed_in(near, open_browser, 2)
    told = far.printed().count(WORKS_AGAIN)
    sql.execute(CUT_FEEDS)
    log_out(lost)
    eventually(lambda: far.printed().count(WORKS_AGAIN) > told, "the feed is back")
    with line.paused():
        asked = [probe(far, lost.cookies), probe(far, live.cookies)]
    assert [each.status for each in asked] == [REFUSED, ACCEPTED], "known without asking: nobody could have been asked"


def test_a_line_that_stands_still(near: Server, far: Server, line: Proxy, open_browser: Callable[..., Browser]) -> None:
    """Within the bound after the acknowledgement the other instance
    stops believing, then answers 503, never 200, and it recovers by itself, with the ending known."""
    lost, live = signed_in(near, open_browser, 2)
    assert [probe(far, each.cookies).status for each in (lost, live)] == [ACCEPTED, ACCEPTED]
    told = far.printed().count(WORKS_AGAIN)
    with ThreadPoolExecutor(2) as threads:
        with line.paused():
            asking: list[Future[list[Probe]]] = [
                threads.submit(probes, far, each.cookies, seconds=4.5) for each in (lost, live)
            ]
            acknowledged = log_out(lost)
            ended, living = (each.result() for each in asking)
        accepted = [each.answered - acknowledged for each in ended if each.status == ACCEPTED]
        assert max(accepted, default=0.0) <= BOUND_SECONDS
        assert accepted, "a test that paused a feed which was not believed protects nothing"
        late = [each for each in ended if each.sent - acknowledged > BOUND_SECONDS]
        assert len(late) > 20
        assert {each.status for each in late} == {CANNOT_ASK}
        assert {each.status for each in living} == {ACCEPTED, CANNOT_ASK}, "nobody who is signed in is refused"
    eventually(lambda: probe(far, live.cookies).status == ACCEPTED, "it recovers")
    assert probe(far, lost.cookies).status == REFUSED
    eventually(lambda: far.printed().count(WORKS_AGAIN) > told, "the feed is back")
    with line.paused():
        assert [probe(far, each.cookies).status for each in (lost, live)] == [REFUSED, ACCEPTED]


def test_a_feed_alone_that_stands_still(
    near: Server, far: Server, line: Proxy, open_browser: Callable[..., Browser]
) -> None:
    """In time the other instance asks the database, which
    it can reach, so that the ended session is refused and nobody else notices anything."""
    lost, live = signed_in(near, open_browser, 2)
    with ThreadPoolExecutor(2) as threads, line.feeds_paused():
        asking = [threads.submit(probes, far, each.cookies, seconds=3.0) for each in (lost, live)]
        acknowledged = log_out(lost)
        ended, living = (each.result() for each in asking)
        accepted = [each.answered - acknowledged for each in ended if each.status == ACCEPTED]
        assert accepted, "a test that paused a feed which was not believed protects nothing"
        assert max(accepted) <= BOUND_SECONDS
        assert {each.status for each in ended} == {ACCEPTED, REFUSED}
        assert {each.status for each in living} == {ACCEPTED}
    assert [probe(far, each.cookies).status for each in (lost, live)] == [REFUSED, ACCEPTED]


def test_a_restart_of_postgresql(
    near: Server, far: Server, postgres: OwnPostgres, open_browser: Callable[..., Browser]
) -> None:
    """An ending by the first request that gets through is known in time."""
    lost, live = signed_in(near, open_browser, 2)
    postgres.stop()
    try:
        eventually(lambda: probe(far, live.cookies).status == CANNOT_ASK, "without PostgreSQL nobody can be asked")
    finally:
        postgres.start()
    until_refused(far, lost.cookies, log_out(lost))
    assert [probe(each, live.cookies).status for each in (near, far)] == [ACCEPTED, ACCEPTED]


def test_a_postgresql_that_stands_still(
    near: Server, far: Server, postgres: OwnPostgres, open_browser: Callable[..., Browser]
) -> None:
    """When PostgreSQL answers nothing any more, both instances stop believing
    within the bound, say 503, and come back by themselves."""
    lost, live = signed_in(near, open_browser, 2)
    with ThreadPoolExecutor(2) as threads, postgres.frozen():
        began = time.monotonic()
        asking = [threads.submit(probes, each, live.cookies, seconds=3.0, every=0.1) for each in (near, far)]
        for each in asking:
            answers = each.result()
            assert {answer.status for answer in answers} <= {ACCEPTED, CANNOT_ASK}
            assert {answer.status for answer in answers if answer.sent - began > BOUND_SECONDS} == {CANNOT_ASK}
    for server in (near, far):
        eventually(lambda server=server: probe(server, live.cookies).status == ACCEPTED, "it comes back")
    until_refused(far, lost.cookies, log_out(lost))


def test_an_instance_that_stood_still(near: Server, far: Server, open_browser: Callable[..., Browser]) -> None:
    """What an instance knew when it stopped is worth nothing when it wakes,
    and the requests that waited for it get the truth, whether they or the notifications come first."""
    browsers = signed_in(near, open_browser, 8)
    (busy,) = signed_in(near, open_browser)
    email = busy.get("/auth/me").json()["data"]["email"]
    for each in browsers:
        assert probe(far, each.cookies).status == ACCEPTED
    worker = worker_of(far)
    with ThreadPoolExecutor(len(browsers)) as threads:
        worker.suspend()
        try:
            stopped = time.monotonic()
            for each in browsers:
                log_out(each)
            while time.monotonic() - stopped <= PROVEN_FOR_SECONDS:
                assert busy.login(email).status_code == 200
            asked = [threads.submit(probe, far, each.cookies) for each in browsers]
        finally:
            worker.resume()
        assert [each.result().status for each in asked] == [REFUSED] * len(browsers)


@pytest.mark.parametrize("loses", [Loses.WHILE_IDLE, Loses.ALL])
def test_behind_a_pooler_that_loses_notifications(
    near: Server,
    postgres: OwnPostgres,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    loses: Loses,
) -> None:
    """LISTEN succeeds, heartbeats are answered, what one
    tells oneself arrives, and nothing else does. Such a feed must not be believed: each request asks, so that endings
    hold there from the acknowledgement on. It is said once."""
    with proxy(postgres.dsn, loses) as pooler:
        behind = start(dsn=pooler.dsn, **ONE_INSTALLATION)
        eventually(lambda: IS_CUT in behind.printed(), "it notices")
        for browser in signed_in(near, open_browser, 6):
            assert probe(behind, browser.cookies).status == ACCEPTED
            log_out(browser)
            assert probe(behind, browser.cookies).status == REFUSED
        assert behind.printed().count(IS_CUT) == 1
        behind.kill()


def test_many_endings_at_the_start_of_an_instance(
    near: Server,
    postgres: OwnPostgres,
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    sql: Sql,
) -> None:
    """20 000 endings of the last ten minutes are all known to it."""
    (browser,) = signed_in(near, open_browser)
    user_id = int(claims_of(browser.cookies["accessToken"])["id"])
    rows = sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at, ended_at, ended_by)"
        " SELECT gen_random_uuid(), %s, sha256(n::text::bytea), now() + interval '1 day',"
        " now() - n * interval '25 ms', 'logout' FROM generate_series(1, 20000) AS n RETURNING id",
        [user_id],
    ).fetchall()
    with proxy(postgres.dsn) as line:
        late = start(dsn=line.dsn, **ONE_INSTALLATION)
        until_feeds_work(sql, 3)
        with line.paused():
            for row in (rows[0], rows[10_000], rows[-1]):
                access = minted(near, TokenKind.ACCESS, user_id, row["id"])
                assert probe(late, {"accessToken": access}).status == REFUSED
            assert probe(late, browser.cookies).status == ACCEPTED
        late.kill()


def test_what_strangers_say_on_the_channel(
    near: Server, far: Server, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """What is no session's id is not heard, and nothing else
    is lost."""
    lost, live = signed_in(near, open_browser, 2)
    cuts = far.printed().count(IS_CUT)
    for payload in ("", "x", "echo", f"echo {uuid4()}", str(uuid4())[:-1], "0" * 7_000, "'; DROP TABLE users; --", "é"):
        sql.execute("SELECT pg_notify('latchkey_session_ended', %s)", [payload])
    until_refused(far, lost.cookies, log_out(lost))
    assert [probe(each, live.cookies).status for each in (near, far)] == [ACCEPTED, ACCEPTED]
    for server in (near, far):
        assert "Traceback" not in server.printed()
    assert far.printed().count(IS_CUT) == cuts


def test_an_ending_that_was_rolled_back_is_not_heard(
    near: Server, far: Server, open_browser: Callable[..., Browser], postgres: OwnPostgres
) -> None:
    """What is rolled back tells nobody."""
    (browser,) = signed_in(near, open_browser)
    session_id = claims_of(browser.cookies["accessToken"])["sid"]
    (after,) = signed_in(near, open_browser)
    with psycopg.connect(postgres.dsn) as connection:
        connection.execute(
            "UPDATE sessions SET ended_at = now() WHERE id = %s RETURNING pg_notify('latchkey_session_ended', id::text)",
            [session_id],
        )
        connection.rollback()
    # Told in order: once the later one is known, the earlier one would be.
    until_refused(far, after.cookies, log_out(after))
    assert [probe(each, browser.cookies).status for each in (near, far)] == [ACCEPTED, ACCEPTED]
