"""GET /users: pages, newest first."""

import threading
from collections.abc import Callable
from math import ceil
from typing import Any

import psycopg
import pytest

from tests.kit.answers import cookies_set
from tests.kit.browser import Browser, bad_fields
from tests.kit.server import Server
from tests.kit.stored import Sql, audited, everything_of

LIVE = "SELECT id, name, email FROM users WHERE NOT is_deleted ORDER BY id DESC"


def page(browser: Browser, query: str = "") -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Data and meta of a page, checked to be one."""
    response = browser.get("/users" + query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body.keys() == {"success", "message", "data", "meta"}
    assert (body["success"], body["message"]) == (True, "Success")
    return body["data"], body["meta"]


def some_users(sql: Sql, count: int) -> None:
    """Users to list."""
    sql.execute(
        "INSERT INTO users (name, email, password) SELECT 'Listed', gen_random_uuid() || '@example.com', 'x'"
        " FROM generate_series(1, %s)",
        [count],
    )


def test_first_page_by_default(browser: Browser, sql: Sql) -> None:
    """Ten users, newest id first, without those that are deleted; three fields each and no more."""
    some_users(sql, 12)
    user = browser.sign_up()
    deleted = browser.register()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [deleted["id"]])
    live = sql.execute(LIVE).fetchall()
    data, meta = page(browser)
    assert data == live[:10]
    assert data[0] == user
    assert meta == {"page": 1, "limit": 10, "total": len(live), "totalPages": ceil(len(live) / 10)}


def test_pages_cover_everybody_once(browser: Browser, sql: Sql) -> None:
    """Walking through the pages shows each user exactly once, the last page being short."""
    some_users(sql, 20)
    browser.sign_up()
    live = sql.execute(LIVE).fetchall()
    _, meta = page(browser, "?limit=7")
    pages = [page(browser, f"?limit=7&page={number}") for number in range(1, meta["totalPages"] + 1)]
    assert [user for data, _ in pages for user in data] == live
    assert {meta["total"] for _, meta in pages} == {len(live)}
    assert [meta["page"] for _, meta in pages] == list(range(1, len(pages) + 1))


def test_writes_nothing(browser: Browser, sql: Sql) -> None:
    """Reading leaves no trace and touches no cookie."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    response = browser.get("/users")
    assert audited(sql, response) == []
    assert cookies_set(browser) == {}
    assert response.headers["cache-control"] == "no-store"
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize(
    ("query", "number", "limit"),
    [
        ("", 1, 10),
        ("?page=1&limit=1", 1, 1),
        ("?limit=100", 1, 100),
        ("?page=0", 1, 10),
        ("?page=-1", 1, 10),
        ("?page=-0", 1, 10),
        ("?page=-9999999999", 1, 10),
        ("?page=0000000002", 2, 10),
        ("?limit=0", 1, 10),
        ("?limit=-5", 1, 10),
        ("?limit=101", 1, 10),
        ("?limit=1000", 1, 10),
        ("?limit=2147483647", 1, 10),
        ("?page=2147483647&limit=100", 2_147_483_647, 100),
        ("?%70age=2", 2, 10),
        ("?page=2&other=x&other=y&=z", 2, 10),
    ],
    ids=lambda value: str(value) or "none",
)
def test_page_and_limit_as_the_original_reads_them(browser: Browser, query: str, number: int, limit: int) -> None:
    """Out of range falls back to node-api-postgres's defaults instead of failing."""
    browser.sign_up()
    data, meta = page(browser, query)
    assert (meta["page"], meta["limit"]) == (number, limit)
    assert len(data) <= limit


BAD_NUMBERS = {
    "empty": "",
    "text": "abc",
    "fraction": "1.5",
    "hexadecimal": "0x10",
    "exponent": "1e3",
    "not a number": "NaN",
    "infinity": "Infinity",
    "full-width digit": "%EF%BC%91",
    "Arabic digit": "%D9%A1",
    "superscript": "%C2%B2",
    "int32 + 1": "2147483648",
    "2**63": "9223372036854775808",
    "11 digits": "00000000001",
    "30 digits": "9" * 30,
    "5000 digits": "9" * 5000,
    "minus 11 digits": "-99999999999",
    "plus": "%2B1",
    "space before": "%201",
    "plus as space": "+1",
    "space after": "1%20",
    "line feed": "1%0A",
    "zero byte": "1%00",
    "underscore": "1_000",
    "two minus": "--1",
    "bare minus": "-",
    "list": "1,2",
    "true": "true",
    "null": "null",
    "bad UTF-8": "%FF",
    "SQL": "1;DROP%20TABLE%20users",
}


@pytest.mark.parametrize("value", BAD_NUMBERS.values(), ids=BAD_NUMBERS.keys())
@pytest.mark.parametrize("name", ["page", "limit"])
def test_anything_else_is_refused(browser: Browser, name: str, value: str) -> None:
    """Never a 500, and never a guess at the meaning."""
    browser.sign_up()
    assert bad_fields(browser.get(f"/users?{name}={value}")) == {name}


def test_both_bad_are_both_named(browser: Browser) -> None:
    """One entry for every bad field."""
    browser.sign_up()
    response = browser.get("/users?page=x&limit=y")
    assert bad_fields(response) == {"page", "limit"}
    assert len(response.json()["errors"]) == 2


@pytest.mark.parametrize("query", ["page=1&page=1", "page=1&%70age=2", "limit=5&page=1&limit=5"])
def test_given_twice_is_refused(browser: Browser, query: str) -> None:
    """Proxies and servers disagree about which of two counts, so both are refused."""
    browser.sign_up()
    name = "limit" if "limit" in query else "page"
    assert bad_fields(browser.get(f"/users?{query}")) == {name}


def test_past_the_end_is_an_empty_page(browser: Browser, sql: Sql) -> None:
    """The total stays right, so that a client can find its way back."""
    browser.sign_up()
    (count,) = sql.execute("SELECT count(*) AS live FROM users WHERE NOT is_deleted").fetchall()
    data, meta = page(browser, "?page=1000000&limit=50")
    assert data == []
    assert meta == {
        "page": 1_000_000,
        "limit": 50,
        "total": count["live"],
        "totalPages": ceil(count["live"] / 50),
    }


def test_nobody_left(start: Callable[[], Server], open_browser: Callable[..., Browser]) -> None:
    """No users, no pages."""
    server = start()
    browser = open_browser(server)
    browser.sign_up()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("UPDATE users SET is_deleted = true")
    assert page(browser) == ([], {"page": 1, "limit": 10, "total": 0, "totalPages": 0})


def test_rows_and_total_are_of_one_moment(start: Callable[[], Server], open_browser: Callable[..., Browser]) -> None:
    """While users register without pause, the newest id equals the total on each of many pages."""
    server = start()
    browser = open_browser(server)
    browser.sign_up()
    enough = threading.Event()

    def insert_without_pause() -> None:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            while not enough.is_set():
                connection.execute(
                    "INSERT INTO users (name, email, password) VALUES ('N', gen_random_uuid()::text, 'x')"
                )

    inserting = threading.Thread(target=insert_without_pause)
    inserting.start()
    try:
        pages = [page(browser, "?limit=100") for _ in range(60)]
    finally:
        enough.set()
        inserting.join()
    assert [data[0]["id"] for data, _ in pages] == [meta["total"] for _, meta in pages]
    totals = [meta["total"] for _, meta in pages]
    assert totals == sorted(totals)
    assert totals[-1] - totals[0] > len(pages), "too few inserts ran between the reads to prove anything"
