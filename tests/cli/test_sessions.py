"""`latchkey sessions` against a real database, and under a running server."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_users import add_user, audit_rows, live_sessions
from tests.kit.browser import Browser, refused
from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.waiting import eventually

Run = Callable[..., Result]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey sessions …` on the test's database, without any secret."""
    return partial(latchkey, "sessions", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


def live_ids(sql: Any, user_id: int) -> list[str]:
    """Ids of the sessions of a user that have not ended, sorted."""
    rows = sql.execute("SELECT id FROM sessions WHERE user_id = %s AND ended_at IS NULL", [user_id]).fetchall()
    return sorted(str(row["id"]) for row in rows)


def test_lists_the_live_ones(run: Run, sql: Any) -> None:
    """Newest use first, nothing ended, nothing secret."""
    user = add_user(sql, "siam@example.com", sessions=2)
    add_user(sql, "other@example.com", sessions=1)
    sql.execute(
        "UPDATE sessions SET ip = '203.0.113.7', user_agent = %s, created_at = '2024-05-06 07:08:09.123+02',"
        " last_used_at = now() - interval '1 hour' WHERE id = (SELECT id FROM sessions WHERE user_id = %s"
        " AND ended_at IS NULL ORDER BY id LIMIT 1)",
        [AGENT, user],
    )
    newest, older = run("list", "--user", "SIAM@example.com", "--json").json()
    assert newest.keys() == {
        "id",
        "created_at",
        "last_used_at",
        "ip",
        "user_agent",
        "device",
        "transport",
        "impersonated",
    }
    assert (older["ip"], older["user_agent"], older["created_at"]) == ("203.0.113.7", AGENT, "2024-05-06T05:08:09.123Z")
    assert (older["device"], newest["device"]) == ("Firefox on Linux", None)
    assert sorted([newest["id"], older["id"]]) == live_ids(sql, user)
    table = run("list", "--user", str(user)).out.splitlines()
    assert table[0].split() == ["id", "created_at", "last_used_at", "ip", "device"]
    assert "Firefox on Linux" in table[2]
    assert table[2].split()[0] == older["id"]


def test_lists_all_however_many(run: Run, sql: Any) -> None:
    """More than a page of the HTTP endpoint."""
    user = add_user(sql, "siam@example.com", sessions=250)
    listed = run("list", "--user", str(user), "--json").json()
    assert sorted(session["id"] for session in listed) == live_ids(sql, user)


def test_shows_the_stored_name(run: Run, sql: Any) -> None:
    user = add_user(sql, "siam@example.com", sessions=1)
    for device, shown in (("A name of its own", "A name of its own"), ("", None), (None, "Firefox on Linux")):
        sql.execute("UPDATE sessions SET user_agent = %s, device = %s WHERE user_id = %s", [AGENT, device, user])
        assert {session["device"] for session in run("list", "--user", str(user), "--json").json()} == {shown}


def test_ends_one_or_all(run: Run, sql: Any) -> None:
    """Each command is one row without an actor that names what ended."""
    user = add_user(sql, "siam@example.com", sessions=3)
    other = add_user(sql, "other@example.com", sessions=1)
    first, second, third = live_ids(sql, user)
    (foreign,) = live_ids(sql, other)

    assert run("revoke", "--user", "siam@example.com", "--session", first).out == "1 ended\n"
    again = run("revoke", "--user", str(user), "--session", first).refusal()
    assert again == f"latchkey: user {user} (siam@example.com) has no live session {first}"
    assert "has no live session" in run("revoke", "--user", str(user), "--session", foreign).refusal()
    assert run("revoke", "--user", str(user), "--json").json() == {"ended": 2}
    assert run("revoke", "--user", str(user)).out == "0 ended\n"

    assert (live_sessions(sql, user), live_sessions(sql, other)) == (0, 1)
    assert audit_rows(sql) == [("SESSION_REVOKED", None, user)] * 2
    rows = sql.execute("SELECT metadata FROM audit_logs ORDER BY id").fetchall()
    assert rows[0]["metadata"] == {"revoked": [first]}
    assert sorted(rows[1]["metadata"]["revoked"]) == sorted([second, third])


def test_whom_it_refuses(run: Run, sql: Any) -> None:
    """Unknown and deleted users are told apart, without a traceback."""
    gone = add_user(sql, "gone@example.com", deleted=True)
    assert run("list", "--user", "4711").refusal() == "latchkey: there is no user 4711"
    assert run("revoke", "--user", str(gone)).refusal().endswith("is deleted")
    assert run("list", "--user", str(gone), "--json").json() == []
    assert run("revoke").code == 2, "whose sessions must be said"


def test_a_running_server_hears_of_it(
    run: Run, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """A running server refuses a session that the command line has ended."""
    server = start()
    browser, bystander = open_browser(server), open_browser(server)
    user = browser.sign_up()
    bystander.sign_up()
    assert run("revoke", "--user", user["email"]).out == "1 ended\n"
    eventually(lambda: browser.get("/auth/me").status_code == 401, "it is told")
    assert refused(browser.post("/auth/refresh-token")) == (401, "INVALID_TOKEN", "Invalid refresh token")
    assert bystander.get("/auth/me").status_code == 200
