"""Roles: an operator makes admins, a new role ends sessions, and the last usable admin stays one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import Browser, refused
from tests.kit.command_line import Result, latchkey
from tests.kit.racing import together
from tests.kit.server import Server
from tests.kit.stored import Sql, endings, user_row
from tests.kit.waiting import eventually

Run = Callable[..., Result]
LAST_ADMIN = (409, "LAST_ADMIN", "This is the last admin")
LAST = "latchkey: this is the last admin: make another user an admin first, or add --force"
SUSPENSIONS = [
    ("suspended_at = now()", False),
    ("suspended_at = now(), suspended_until = now() + interval '1 hour'", False),
    ("suspended_at = now() - interval '2 hours', suspended_until = now() - interval '1 hour'", True),
    ("is_deleted = true, deleted_at = now()", False),
]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Runs `latchkey users …` on the test's database, without any secret."""
    return partial(latchkey, "users", directory=tmp_path, dsn=database, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")


@pytest.fixture
def add(own_sql: Sql) -> Callable[..., int]:
    """Adds users: `add("siam@example.com", role="admin")`."""

    def add_one(email: str, *, role: str = "user") -> int:
        row = own_sql.execute(
            "INSERT INTO users (name, email, password, role) VALUES ('Siam', %s, '', %s) RETURNING id", [email, role]
        ).fetchone()
        assert row is not None
        return int(row["id"])

    return add_one


def audit_rows(sql: Sql) -> list[tuple[str, int | None, int, Any]]:
    """Returns action, actor, entity and changed columns of every audit row about roles and deletions, oldest first."""
    rows = sql.execute("SELECT * FROM audit_logs WHERE action IN ('UPDATE_USER', 'DELETE_USER') ORDER BY id").fetchall()
    return [(row["action"], row["actor_id"], row["entity_id"], row["metadata"].get("changed")) for row in rows]


def test_another_role_signs_the_user_out_everywhere(
    run: Run, own_sql: Sql, start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """So that no token says the old one. The next sign-in has the new role. The same role again changes nothing."""
    server = start()
    phone, laptop = open_browser(server), open_browser(server)
    user = phone.sign_up()
    laptop.login(user["email"])
    assert claims_of(laptop.cookies["accessToken"])["role"] == "user"

    made = run("set-role", user["email"], "admin", "--json").json()
    assert (made["id"], made["role"], made["live_sessions"]) == (user["id"], "admin", 0)
    assert endings(own_sql, user["id"]) == ["role-change", "role-change"]
    for browser in (phone, laptop):
        eventually(lambda browser=browser: browser.get("/auth/me").status_code == 401, "it is signed out", within=2.0)
        assert refused(browser.post("/auth/refresh-token"))[:2] == (401, "INVALID_TOKEN")

    laptop.login(user["email"])
    assert claims_of(laptop.cookies["accessToken"])["role"] == "admin"
    assert run("set-role", str(user["id"]), "admin").code == 0
    assert laptop.get("/auth/me").status_code == 200
    assert audit_rows(own_sql) == [("UPDATE_USER", None, user["id"], ["role"])]


def test_the_last_admin_stays_one_unless_forced(run: Run, add: Callable[..., int], own_sql: Sql) -> None:
    last = add("last@example.com", role="admin")
    assert run("set-role", "last@example.com", "user").refusal() == LAST
    assert run("delete", "last@example.com", "--yes").refusal() == LAST
    assert user_row(own_sql, last)["role"] == "admin"
    assert user_row(own_sql, last)["is_deleted"] is False
    assert audit_rows(own_sql) == []

    other = add("other@example.com")
    run("set-role", str(other), "admin")
    assert run("set-role", str(last), "user", "--json").json()["role"] == "user"
    assert run("set-role", str(other), "user").refusal() == LAST
    assert run("set-role", str(other), "user", "--force", "--json").json()["role"] == "user"
    assert [row[2] for row in audit_rows(own_sql)] == [other, last, other]

    run("set-role", str(last), "admin")
    assert run("delete", str(last), "--yes", "--force", "--json").json()["is_deleted"] is True


@pytest.mark.parametrize(("change", "usable"), SUSPENSIONS)
def test_an_admin_who_cannot_act_does_not_count(
    run: Run, add: Callable[..., int], own_sql: Sql, change: str, usable: bool
) -> None:
    """Deleted or suspended now."""
    other = add("other@example.com", role="admin")
    own_sql.execute(f"UPDATE users SET {change} WHERE id = %s", [other])
    last = add("last@example.com", role="admin")
    result = run("set-role", str(last), "user")
    assert result.code == (0 if usable else 1), result
    assert user_row(own_sql, last)["role"] == ("user" if usable else "admin")


def test_a_suspended_admin_may_lose_the_role(run: Run, add: Callable[..., int], own_sql: Sql) -> None:
    """That takes no usable admin away."""
    suspended = add("suspended@example.com", role="admin")
    own_sql.execute("UPDATE users SET suspended_at = now()")
    assert run("set-role", str(suspended), "user", "--json").json()["role"] == "user"


def test_who_has_no_role(run: Run, add: Callable[..., int], own_sql: Sql) -> None:
    gone = add("gone@example.com")
    own_sql.execute("UPDATE users SET is_deleted = true, deleted_at = now()")
    assert run("set-role", str(gone), "admin").refusal().endswith("is deleted")
    assert run("set-role", "4711", "admin").refusal() == "latchkey: there is no user 4711"
    assert run("set-role", str(gone), "owner").code == 2
    assert audit_rows(own_sql) == []


def test_the_last_admin_cannot_delete_their_account(
    start: Callable[..., Server], own_sql: Sql, open_browser: Callable[..., Browser]
) -> None:
    """They stay signed in, and another admin frees them. Everybody else deletes their account as before."""
    server = start()
    last, other = open_browser(server), open_browser(server)
    last_id, other_id = last.register()["id"], other.register()["id"]
    own_sql.execute("UPDATE users SET role = 'admin' WHERE id = %s", [last_id])
    for browser, user_id in ((last, last_id), (other, other_id)):
        browser.login(user_row(own_sql, user_id)["email"])
    assert refused(last.delete(f"/users/{last_id}")) == LAST_ADMIN
    assert last.get("/auth/me").status_code == 200
    assert other.delete(f"/users/{other_id}").status_code == 200
    assert [row[:3] for row in audit_rows(own_sql)] == [("DELETE_USER", other_id, other_id)]

    own_sql.execute("UPDATE users SET role = 'admin', is_deleted = false WHERE id = %s", [other_id])
    assert last.delete(f"/users/{last_id}").status_code == 200


def test_two_admins_who_delete_themselves_at_once(
    start: Callable[..., Server], own_sql: Sql, open_browser: Callable[..., Browser]
) -> None:
    """On two instances. One of them stays."""
    servers = [start(), start()]
    for _ in range(5):
        admins = [open_browser(server) for server in servers]
        ids = [browser.register()["id"] for browser in admins]
        own_sql.execute("UPDATE users SET role = CASE WHEN id = ANY(%s) THEN 'admin' ELSE 'user' END", [ids])
        for browser, user_id in zip(admins, ids, strict=True):
            browser.login(user_row(own_sql, user_id)["email"])
            browser.fetch_csrf()
        answers = together(
            [partial(browser.delete, f"/users/{user_id}") for browser, user_id in zip(admins, ids, strict=True)]
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        left = own_sql.execute("SELECT count(*) AS n FROM users WHERE role = 'admin' AND NOT is_deleted").fetchone()
        assert left == {"n": 1}


def test_two_admins_who_are_demoted_at_once(run: Run, add: Callable[..., int], own_sql: Sql) -> None:
    """By two operators. One of them stays."""
    ids = [add(f"admin{number}@example.com", role="admin") for number in range(2)]
    with ThreadPoolExecutor(2) as threads:
        codes = [each.result().code for each in [threads.submit(run, "set-role", str(id), "user") for id in ids]]
    assert sorted(codes) == [0, 1]
    assert own_sql.execute("SELECT count(*) AS n FROM users WHERE role = 'admin'").fetchone() == {"n": 1}
