"""Pages of `GET /auth/sessions`, and what a user with very many sessions costs."""

import json
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import Browser, bad_fields
from tests.kit.stored import Sql, audited

MANY = 1_200
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# Half of them used at the same moment as another one: the id decides between these.
OPEN = """
INSERT INTO sessions (id, user_id, token_hash, expires_at, token_expires_at, last_used_at, ip, user_agent, device)
SELECT gen_random_uuid(), %(user)s, sha256(gen_random_uuid()::text::bytea), now() + interval '1 day',
    now() + interval '1 day', now() - make_interval(secs => number / 2), '203.0.113.7', %(agent)s || number, %(device)s
FROM generate_series(1, %(count)s) AS number
"""
NEWEST_FIRST = "SELECT id FROM sessions WHERE user_id = %s AND ended_at IS NULL ORDER BY last_used_at DESC, id DESC"


def open_sessions(sql: Sql, user_id: int, count: int, *, device: str | None = "Firefox on Ubuntu") -> None:
    """Opens sessions of a user behind the service's back."""
    sql.execute(OPEN, {"user": user_id, "count": count, "agent": FIREFOX, "device": device})


def page(browser: Browser, query: str = "") -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Data and meta of a page, checked to be one."""
    response = browser.get("/auth/sessions" + query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body.keys() == {"success", "message", "data", "meta"}
    assert body["meta"].keys() == {"limit", "nextCursor"}
    return body["data"], body["meta"]


def walk(browser: Browser, limit: int) -> list[list[str]]:
    """The ids on all pages."""
    pages, cursor = [], ""
    while cursor is not None:
        data, meta = page(browser, f"?limit={limit}{cursor and '&cursor=' + cursor}")
        assert meta["limit"] == limit
        pages.append([session["id"] for session in data])
        cursor = meta["nextCursor"]
    return pages


@pytest.mark.parametrize("limit", [1, 7, 20, 21, 22, 100])
def test_pages_show_each_session_once(browser: Browser, sql: Sql, limit: int) -> None:
    user = browser.sign_up()
    open_sessions(sql, user["id"], 20)
    stored = [str(row["id"]) for row in sql.execute(NEWEST_FIRST, [user["id"]]).fetchall()]
    assert len(stored) == 21
    pages = walk(browser, limit)
    assert [id for ids in pages for id in ids] == stored
    assert {len(ids) for ids in pages[:-1]} <= {limit}
    assert 0 < len(pages[-1]) <= limit


def test_sessions_that_begin_or_end_meanwhile(browser: Browser, sql: Sql) -> None:
    """None of the others is left out or shown twice, and the place that a cursor names may be gone."""
    user = browser.sign_up()
    open_sessions(sql, user["id"], 9)
    first, meta = page(browser, "?limit=5")
    shown = [session["id"] for session in first]
    rest = [str(row["id"]) for row in sql.execute(NEWEST_FIRST, [user["id"]]).fetchall()][5:]
    sql.execute("UPDATE sessions SET ended_at = now() WHERE id = ANY(%s)", [[shown[4], rest[1]]])
    assert browser.post("/auth/refresh-token").status_code == 200
    second, meta = page(browser, f"?limit=5&cursor={meta['nextCursor']}")
    assert [session["id"] for session in second] == [rest[0], *rest[2:]]
    assert meta["nextCursor"] is None


def test_a_cursor_shows_the_callers_own_sessions_only(browser: Browser, open_browser: Any, sql: Sql) -> None:
    user = browser.sign_up()
    open_sessions(sql, user["id"], 3)
    _, meta = page(browser, "?limit=2")
    stranger = open_browser()
    stranger.sign_up()
    data, _ = page(stranger, f"?cursor={meta['nextCursor']}")
    assert [session["id"] for session in data] in ([], [claims_of(stranger.cookies["accessToken"])["sid"]])


def far_away(microseconds: int) -> str:
    """A cursor of a time that no session can have."""
    raw = microseconds.to_bytes(8, "big", signed=True) + bytes(16)
    return urlsafe_b64encode(raw + sha256(raw).digest()[:3]).decode()


def test_bad_queries_are_refused_by_name(browser: Browser, sql: Sql) -> None:
    user = browser.sign_up()
    open_sessions(sql, user["id"], 3)
    _, meta = page(browser, "?limit=1")
    cursor = meta["nextCursor"]
    for limit in ("", "0", "101", "-1", "1000", "x", "1.5", "+5", "%205", "1e1", "٣", "9" * 5_000):
        assert bad_fields(browser.get(f"/auth/sessions?limit={limit}")) == {"limit"}, limit
    other = "A" if cursor[7] != "A" else "B"
    for bad in (
        "", "x", "0", "null", "%00", "%ff", "é", cursor[:-1], cursor + "A", cursor + "=", cursor[:7] + other + cursor[8:],
        cursor.swapcase(), "A" * 36, "-" * 36, far_away(2**63 - 1), far_away(-(2**63)), "9" * 5_000,
    ):  # fmt: skip
        assert bad_fields(browser.get(f"/auth/sessions?cursor={bad}")) == {"cursor"}, bad
    assert bad_fields(browser.get(f"/auth/sessions?cursor={cursor}&cursor={cursor}&limit=0&limit=1")) == {
        "limit", "cursor"
    }  # fmt: skip
    assert bad_fields(browser.get("/auth/sessions?cursor=x&limit=0")) == {"limit", "cursor"}
    assert page(browser, f"?cursor={cursor}&page=7&limit=007")[1] == {"limit": 7, "nextCursor": None}


def test_the_device_is_stored_when_a_session_opens(browser: Browser, open_browser: Any, sql: Sql) -> None:
    """By a login and by a change of password; empty where nobody knows the user agent. What is stored is shown."""
    user = browser.sign_up()
    known = open_browser(headers={"User-Agent": FIREFOX})
    assert known.login(user["email"]).status_code == 200
    devices = "SELECT device FROM sessions WHERE user_id = %s AND ended_at IS NULL ORDER BY created_at"
    stored = [row["device"] for row in sql.execute(devices, [user["id"]]).fetchall()]
    assert stored[1] == "Firefox on Ubuntu"
    assert stored[0] is not None
    change = {"currentPassword": "Secret123!", "newPassword": "Changed456!"}
    assert known.post("/auth/change-password", change).status_code == 200
    assert [row["device"] for row in sql.execute(devices, [user["id"]]).fetchall()] == ["Firefox on Ubuntu"]
    for device, shown in (("A name of its own", "A name of its own"), ("", None), (None, "Firefox on Ubuntu")):
        sql.execute("UPDATE sessions SET device = %s WHERE user_id = %s", [device, user["id"]])
        assert [session["device"] for session in page(known)[0]] == [shown]


def test_very_many_sessions_cost_little(browser: Browser, sql: Sql) -> None:
    """A page of them takes no longer than a page of few would let one expect, and has some kilobytes."""
    user = browser.sign_up()
    open_sessions(sql, user["id"], MANY)

    def quickest(query: str) -> float:
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            page(browser, query)
            taken.append(time.perf_counter() - began)
        return min(taken)

    data, meta = page(browser)
    assert (len(data), meta["limit"]) == (100, 100)
    assert len(json.dumps(data)) < 50_000
    assert quickest("") < 0.5
    assert sum(map(len, walk(browser, 100))) == MANY + 1


def test_a_login_above_the_limit_ends_all_that_are_too_many(browser: Browser, open_browser: Any, sql: Sql) -> None:
    """As after an upgrade from a version without a limit: the oldest end at the account's next login, which says so in
    no row but its own. They are refused at once."""
    user = browser.sign_up()
    open_sessions(sql, user["id"], 150)
    sql.execute("UPDATE sessions SET created_at = last_used_at WHERE user_id = %s", [user["id"]])
    response = open_browser().login(user["email"])
    assert response.status_code == 200
    assert audited(sql, response) == [("LOGIN", user["id"], user["id"])]
    ended = sql.execute("SELECT ended_by FROM sessions WHERE user_id = %s AND ended_at IS NOT NULL", [user["id"]])
    assert [row["ended_by"] for row in ended.fetchall()] == ["limit"] * 52
    assert len(page(browser)[0]) == 100


def test_ended_sessions_are_not_passed_by_a_login(browser: Browser, open_browser: Any, sql: Sql) -> None:
    """What a login looks for, and what a list shows, is found by an index of live sessions only."""
    user = browser.sign_up()
    open_sessions(sql, user["id"], 20_000)
    sql.execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s AND random() < 0.999", [user["id"]])
    other = open_browser().sign_up()
    open_sessions(sql, other["id"], 20_000)
    sql.execute("ANALYZE sessions")
    plan = sql.execute(
        "EXPLAIN SELECT id FROM sessions WHERE user_id = %s AND ended_at IS NULL AND expires_at > now()"
        " ORDER BY created_at DESC, id OFFSET 99",
        [user["id"]],
    ).fetchall()
    assert "sessions_live_by_user" in str(plan)
