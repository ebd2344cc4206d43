"""The audit log for admins: filters, pages that lose nothing, and an export that is whole or breaks."""

import csv
import io
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg
import pytest

from latchkey.http.streamed import PIECE_SECONDS
from tests.kit.admins import CONFIRM, NOT_ALLOWED, age_sign_in, sign_in_admin
from tests.kit.browser import Browser, bad_fields, refused
from tests.kit.own_postgres import own_postgres
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql, audit_rows

Open = Callable[..., Browser]
ROWS = """
INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata, created_at)
SELECT CASE WHEN n %% 2 = 0 THEN 1 END, (ARRAY['LOGIN', 'LOGOUT', 'UPDATE_USER'])[1 + n %% 3], 'users', n %% 5,
       jsonb_build_object('ip', '192.0.2.' || n %% 4, 'userAgent', '=1+' || n)
           || CASE WHEN n %% 10 = 0 THEN jsonb_build_object('apiKeyId', 'abc') ELSE '{}' END,
       now() - make_interval(mins => 5000 - n)
FROM generate_series(1, %s) AS n
"""


@pytest.fixture
def admin(start: Callable[..., Server], open_browser: Open, own_sql: Sql) -> Browser:
    """An admin, the user 1, of an installation with some history."""
    browser = open_browser(start())
    sign_in_admin(browser, own_sql)
    own_sql.execute(ROWS, [3_000])
    return browser


def read(admin: Browser, **query: str) -> list[dict[str, Any]]:
    """Returns all rows of a search, by its pages."""
    rows: list[dict[str, Any]] = []
    more: dict[str, str] = {"limit": "200"}
    while True:
        answer = admin.get(f"/admin/audit?{urlencode(query | more)}")
        assert answer.status_code == 200, answer.text
        rows += answer.json()["data"]
        if answer.json()["meta"]["nextCursor"] is None:
            return rows
        more["cursor"] = answer.json()["meta"]["nextCursor"]


def test_filters_and_pages(admin: Browser) -> None:
    everything = read(admin)
    assert [row["id"] for row in everything] == sorted((row["id"] for row in everything), reverse=True)
    assert len(everything) > 3_000
    assert list(everything[0]) == ["id", "actorId", "action", "entityType", "entityId", "metadata", "createdAt"]
    month = everything[1_500]["createdAt"]
    tests: list[tuple[dict[str, str], Callable[[dict[str, Any]], bool]]] = [
        ({"action": "LOGOUT"}, lambda row: row["action"] == "LOGOUT"),
        ({"actorId": "1"}, lambda row: row["actorId"] == 1),
        ({"entityId": "3"}, lambda row: row["entityId"] == 3),
        ({"ip": "192.0.2.1"}, lambda row: row["metadata"].get("ip") == "192.0.2.1"),
        ({"from": month}, lambda row: row["createdAt"] >= month),
        ({"to": month}, lambda row: row["createdAt"] <= month),
        ({"action": "NOTHING"}, lambda _: False),
        ({"apiKeyId": "abc", "from": "2000-01-01T00:00:00Z"}, lambda row: row["metadata"].get("apiKeyId") == "abc"),
        (
            {"action": "LOGIN", "entityId": "2", "to": month},
            lambda row: row["action"] == "LOGIN" and row["entityId"] == 2 and row["createdAt"] <= month,
        ),
    ]
    for query, holds in tests:
        assert read(admin, **query) == [row for row in everything if holds(row)], query


def test_pages_while_others_write(admin: Browser, own_sql: Sql) -> None:
    there = {row["id"] for row in read(admin)}
    seen: list[int] = []
    cursor = ""
    while True:
        answer = admin.get(f"/admin/audit?limit=200{cursor}").json()
        seen += [row["id"] for row in answer["data"]]
        own_sql.execute(ROWS, [50])
        if answer["meta"]["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['meta']['nextCursor']}"
    assert sorted(seen) == sorted(there)


def test_bad_queries(admin: Browser) -> None:
    for query, field in (
        ("limit=201", "limit"),
        ("actorId=0", "actorId"),
        ("entityId=x", "entityId"),
        ("apiKeyId=abc", "from"),
        ("from=yesterday", "from"),
        ("page=1", "page"),
        ("action=LOGIN&action=LOGOUT", "action"),
        ("cursor=abc", "cursor"),
        ("format=csv", "format"),
    ):
        assert bad_fields(admin.get(f"/admin/audit?{query}")) == {field}, query
    first = admin.get("/admin/audit?limit=1").json()["meta"]["nextCursor"]
    assert bad_fields(admin.get(f"/admin/audit?action=LOGIN&cursor={first}")) == {"cursor"}
    assert bad_fields(admin.get("/admin/audit/export?format=xlsx")) == {"format"}
    assert bad_fields(admin.get("/admin/audit/export?limit=1")) == {"limit"}


def test_who_may_read(browser: Browser, open_service: Callable[..., Service], sql: Sql) -> None:
    browser.sign_up()
    assert refused(browser.get("/admin/audit")) == NOT_ALLOWED
    assert refused(browser.get("/admin/audit/export")) == NOT_ALLOWED
    service = open_service(add_api_key(sql, "audit:read"))
    assert service.request("GET", "/admin/audit").status_code == 200
    assert refused(open_service(add_api_key(sql, "users:read")).request("GET", "/admin/audit"))[0] == 403


def test_an_export(admin: Browser, own_sql: Sql) -> None:
    """All rows, in both formats, and a row about it that comes first."""
    everything = read(admin)
    lines = admin.get("/admin/audit/export")
    assert lines.headers["content-disposition"] == 'attachment; filename="audit.ndjson"'
    assert lines.headers["cache-control"] == "no-store"
    assert [json.loads(line) for line in lines.text.splitlines()] == everything
    (row,) = audit_rows(own_sql, lines)
    assert (row["action"], row["actor_id"], row["entity_type"], row["entity_id"]) == (
        *("EXPORT_AUDIT", 1),
        *("audit_logs", None),
    )
    table = list(csv.DictReader(io.StringIO(admin.get("/admin/audit/export?format=csv&action=LOGOUT").text)))
    wanted = [row for row in everything if row["action"] == "LOGOUT"]
    assert [int(each["id"]) for each in table] == [each["id"] for each in wanted]
    assert json.loads(table[0]["metadata"]) == wanted[0]["metadata"]
    assert admin.request("HEAD", "/admin/audit/export").status_code == 200

    age_sign_in(own_sql, 1, 11)
    assert refused(admin.get("/admin/audit/export")) == CONFIRM


def test_cells_that_a_spreadsheet_would_run(admin: Browser, own_sql: Sql) -> None:
    for start in ("=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx"):
        own_sql.execute("INSERT INTO audit_logs (action, entity_type, metadata) VALUES (%s, 'users', '{}')", [start])
    text = admin.get("/admin/audit/export?format=csv").text
    actions = [row["action"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert actions[:6] == ["'\rx", "'\tx", "'@SUM(1)", "'-1", "'+1", "'=1+1"]


def test_an_export_that_cannot_go_on_breaks_off(start: Callable[..., Server]) -> None:
    """No short file passes for a whole one."""
    with own_postgres() as postgres:
        with psycopg.connect(postgres.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
            sql.execute("INSERT INTO users (name, email, password) VALUES ('A', 'a@example.com', '')")
            sql.execute(ROWS, [200_000])
            key = add_api_key(sql, "audit:read")
        server = start(dsn=postgres.dsn)
        with (
            httpx.Client(base_url=server.url, timeout=60, headers={"X-API-Key": key}) as client,
            client.stream("GET", "/admin/audit/export") as answer,
        ):
            assert answer.status_code == 200
            pieces = answer.iter_bytes()
            assert next(pieces)
            postgres.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in pieces:
                    pass
        assert "Traceback" not in server.printed()
        server.kill()


def test_an_export_does_not_hold_up_a_stop(start: Callable[..., Server], own_sql: Sql) -> None:
    """Not even to a client that does not read: it learns that its file is not whole."""
    own_sql.execute("INSERT INTO users (name, email, password) VALUES ('A', 'a@example.com', '')")
    own_sql.execute(ROWS, [100_000])
    server = start()
    with (
        httpx.Client(
            base_url=server.url, timeout=60, headers={"X-API-Key": add_api_key(own_sql, "audit:read")}
        ) as client,
        client.stream("GET", "/admin/audit/export") as answer,
    ):
        assert answer.status_code == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < PIECE_SECONDS
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in answer.iter_bytes():
                pass
    assert "the service stops" in server.printed()
