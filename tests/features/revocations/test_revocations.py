"""GET /revocations: an app that verifies access tokens itself learns which sessions have ended."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from tests.kit import plain_http
from tests.kit.answers import claims_of
from tests.kit.browser import Browser, bad_fields
from tests.kit.own_postgres import own_postgres
from tests.kit.postgres_proxy import Loses, proxy
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Json = dict[str, Any]
Answer = Future[tuple[Json, float]]
IS_CUT = "the feed of ended sessions is cut"
GRACE_SECONDS = 10.0
BUSY = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"


@pytest.fixture
def server_of_app(start: Callable[..., Server], own_sql: Sql, open_service: Callable[..., Service]) -> Service:
    """A server that may read revocations, at an instance and a database of its own."""
    return open_service(add_api_key(own_sql, "revocations:read"), on=start())


def add_ended(sql: Sql, count: int, ended_ago: str) -> set[str]:
    """Adds sessions that ended at one moment, and returns their ids."""
    sql.execute("INSERT INTO users (name, email, password) VALUES ('Siam', gen_random_uuid() || '@example.com', '')")
    rows = sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at, ended_at)"
        " SELECT gen_random_uuid(), (SELECT max(id) FROM users), sha256(n::text::bytea), now() + interval '1 day',"
        " now() - %s::interval FROM generate_series(1, %s) AS n RETURNING id",
        [ended_ago, count],
    ).fetchall()
    return {str(row["id"]) for row in rows}


def signed_in(browser: Browser) -> str:
    """Signs somebody up and returns the id of the session."""
    browser.sign_up()
    return str(claims_of(browser.cookies["accessToken"])["sid"])


def read_all(service: Service, cursor: str | None = None) -> tuple[list[str], str]:
    """Reads until nothing is new: returns the ids, and the last cursor."""
    ids: list[str] = []
    while True:
        answer = service.revocations(cursor)
        ids += answer["sessions"]
        if cursor is not None and answer["cursor"] == cursor:
            return ids, cursor
        cursor = str(answer["cursor"])


@contextmanager
def waiting(service: Service, sql: Sql, cursor: str, *, wait: int = 25) -> Iterator[Answer]:
    """Asks in another thread, and goes on when the request has looked and waits. The answer has its time."""
    row = sql.execute("SELECT clock_timestamp() AS now").fetchone()
    assert row is not None
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(lambda: (service.revocations(cursor, wait=wait), time.monotonic()))
        eventually(
            lambda: bool(
                sql.execute(
                    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
                    " AND query LIKE 'SELECT at, tally%%' AND query_start > %s",
                    [row["now"]],
                ).rowcount
            ),
            "it has looked",
        )
        yield answer


def test_a_logout_on_one_instance_wakes_an_app_at_another(
    start: Callable[..., Server],
    own_sql: Sql,
    open_browser: Callable[..., Browser],
    open_service: Callable[..., Service],
) -> None:
    """In less than a second: the quickest of five, since the machine may be busy."""
    near, far = start(), start()
    service = open_service(add_api_key(own_sql, "revocations:read"), on=far)
    took: list[float] = []
    _, cursor = read_all(service)
    for _ in range(5):
        browser = open_browser(near)
        session_id = signed_in(browser)
        with waiting(service, own_sql, cursor) as asked:
            assert browser.post("/auth/logout").status_code == 200
            acknowledged = time.monotonic()
            answer, answered = asked.result()
        assert session_id in answer["sessions"]
        took.append(answered - acknowledged)
        cursor = answer["cursor"]
    assert min(took) < 1.0


def test_the_first_answer_has_the_last_61_minutes(server_of_app: Service, own_sql: Sql) -> None:
    """Older sessions have no access token that still lives. Live ones are not listed."""
    lately = add_ended(own_sql, 2, "60 minutes 50 seconds") | add_ended(own_sql, 1, "0 seconds")
    add_ended(own_sql, 2, "61 minutes 10 seconds")
    own_sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at)"
        " SELECT gen_random_uuid(), id, sha256(''), now() + interval '1 day' FROM users"
    )
    answer = server_of_app.revocations()
    assert (set(answer["sessions"]), answer["more"]) == (lately, False)


def test_nothing_new_gives_the_same_cursor(server_of_app: Service, own_sql: Sql) -> None:
    add_ended(own_sql, 3, "5 seconds")
    first = server_of_app.revocations()
    assert server_of_app.revocations(first["cursor"]) == {"sessions": [], "cursor": first["cursor"], "more": False}


def test_many_come_in_pages(server_of_app: Service, own_sql: Sql) -> None:
    """Of 10 000 at most, in the order of their end, also where one change has ended more than that."""
    older, newer = add_ended(own_sql, 500, "20 minutes"), add_ended(own_sql, 20_000, "10 minutes")
    pages = [server_of_app.revocations()]
    while pages[-1]["more"]:
        pages.append(server_of_app.revocations(pages[-1]["cursor"]))
    assert [len(page["sessions"]) for page in pages] == [10_000, 10_000, 500]
    listed = [session_id for page in pages for session_id in page["sessions"]]
    assert set(listed[:500]) == older
    assert set(listed[500:]) == newer
    assert len(listed) == 20_500


def test_a_late_commit_is_delivered(server_of_app: Service, own_sql: Sql, database: str) -> None:
    """Its sessions ended before what was listed already, and some of that comes again."""
    (early,) = add_ended(own_sql, 1, "1 hour")
    with psycopg.connect(database) as slow:
        slow.execute("UPDATE sessions SET ended_at = now() - interval '3 seconds' WHERE id = %s", [early])
        (later,) = add_ended(own_sql, 1, "1 second")
        ids, cursor = read_all(server_of_app)
        assert later in ids
        slow.commit()
    ids, _ = read_all(server_of_app, cursor)
    assert set(ids) == {early, later}


def test_waiting_ends_in_time(server_of_app: Service) -> None:
    """With what was asked for: nothing, and the same cursor."""
    cursor = server_of_app.revocations()["cursor"]
    began = time.monotonic()
    assert server_of_app.revocations(cursor, wait=1) == {"sessions": [], "cursor": cursor, "more": False}
    assert time.monotonic() - began >= 1.0


def test_waiting_holds_no_connection(
    start: Callable[..., Server],
    own_sql: Sql,
    open_service: Callable[..., Service],
    open_browser: Callable[..., Browser],
) -> None:
    """More requests wait than there are connections, and everybody else goes on."""
    server = start()
    services = [open_service(add_api_key(own_sql, "revocations:read"), on=server) for _ in range(15)]
    cursor = services[0].revocations()["cursor"]
    with ThreadPoolExecutor(len(services)) as threads:
        asked = [threads.submit(each.revocations, cursor, wait=25) for each in services]
        browser = open_browser(server)
        session_id = signed_in(browser)
        assert browser.get("/auth/me").status_code == 200
        eventually(lambda: own_sql.execute(BUSY).rowcount == 0, "no connection is in use")
        browser.post("/auth/logout")
        assert all(session_id in each.result()["sessions"] for each in asked)


def test_while_the_feed_is_cut_an_ending_is_found_soon(
    start: Callable[..., Server], open_browser: Callable[..., Browser], open_service: Callable[..., Service]
) -> None:
    """As behind a pooler that lends connections by the transaction."""
    with (
        own_postgres() as postgres,
        proxy(postgres.dsn, Loses.ALL) as pooler,
        psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql,
    ):
        near, far = start(dsn=postgres.dsn), start(dsn=pooler.dsn)
        eventually(lambda: IS_CUT in far.printed(), "the feed is cut")
        service = open_service(add_api_key(sql, "revocations:read"), on=far)
        browser = open_browser(near)
        session_id = signed_in(browser)
        with waiting(service, sql, service.revocations()["cursor"]) as asked:
            browser.post("/auth/logout")
            assert session_id in asked.result()[0]["sessions"]
        for each in (near, far):
            each.kill()


def test_waiting_requests_do_not_hold_up_a_stop(server_of_app: Service, own_sql: Sql) -> None:
    """They are answered, so that an app loses nothing, and the server ends long before it would be killed."""
    cursor = server_of_app.revocations()["cursor"]
    with waiting(server_of_app, own_sql, cursor) as asked:
        began = time.monotonic()
        assert server_of_app.server.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS
        assert asked.result()[0] == {"sessions": [], "cursor": cursor, "more": False}


def test_a_client_that_leaves_frees_its_place(server_of_app: Service) -> None:
    """An app that was started again may wait, although the requests of its former life were never answered."""
    cursor = server_of_app.revocations()["cursor"]
    url, headers = (
        f"{server_of_app.server.url}/revocations?since={cursor}&wait=25",
        {"X-API-Key": server_of_app.key or ""},
    )
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            plain_http.get(url, headers=headers, timeout=1)

    def waits() -> bool:
        began = time.monotonic()
        server_of_app.revocations(cursor, wait=1)
        return time.monotonic() - began >= 1.0

    eventually(waits, "a place is free", within=10)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=", "since"),
        ("since=x", "since"),
        ("since=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "since"),
        ("since={cursor}x", "since"),
        ("since={cut}", "since"),
        ("since={cursor}&since={cursor}", "since"),
        ("wait=26", "wait"),
        ("wait=-1", "wait"),
        ("wait=1.5", "wait"),
        ("wait=", "wait"),
        ("wait=%D9%A1", "wait"),
        ("wait=1&wait=1", "wait"),
        ("limit=5", "limit"),
        ("Since={cursor}", "Since"),
    ],
)
def test_a_bad_query(open_service: Callable[..., Service], sql: Sql, query: str, field: str) -> None:
    service = open_service(add_api_key(sql, "revocations:read"))
    cursor = service.revocations()["cursor"]
    answer = service.request("GET", f"/revocations?{query.format(cursor=cursor, cut=cursor[:-4])}")
    assert bad_fields(answer) == {field}
