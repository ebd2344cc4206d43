"""Suspension: sessions end everywhere, nobody signs in, and it is over when its time has come."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.kit.admins import NOT_SELF, sign_in_admin
from tests.kit.browser import PASSWORD, Browser, bad_fields, refused
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.stored import Sql, audit_rows, endings
from tests.kit.waiting import eventually

SUSPENDED = (403, "ACCOUNT_SUSPENDED", "This account is suspended")
Open = Callable[..., Browser]


def test_a_suspended_user_is_out_everywhere(start: Callable[..., Server], open_browser: Open, own_sql: Sql) -> None:
    """On every instance within two seconds. Whoever does not know the password learns nothing of it."""
    here, there = start(**ONE_INSTALLATION), start(**ONE_INSTALLATION)
    admin, phone, laptop = open_browser(here), open_browser(here), open_browser(there)
    sign_in_admin(admin, own_sql)
    user = phone.sign_up()
    laptop.login(user["email"])
    path = f"/admin/users/{user['id']}"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = admin.post(f"{path}/suspend", {"reason": "Spam", "until": until})
    shown = answer.json()["data"]
    assert answer.json()["message"] == "User suspended"
    assert (shown["suspendedReason"], shown["liveSessions"]) == ("Spam", 0)
    assert datetime.fromisoformat(shown["suspendedUntil"]) == datetime.fromisoformat(until)
    assert refused(phone.get("/auth/me"))[:2] == (401, "INVALID_TOKEN")
    eventually(lambda: laptop.get("/auth/me").status_code == 401, "it is known there", within=2.0)
    assert refused(laptop.post("/auth/refresh-token"))[:2] == (401, "INVALID_TOKEN")
    assert endings(own_sql, user["id"]) == ["suspension", "suspension"]
    (row,) = audit_rows(own_sql, answer)
    assert (row["action"], row["metadata"]["reason"]) == ("SUSPEND_USER", "Spam")
    assert refused(laptop.login(user["email"])) == SUSPENDED
    assert refused(laptop.login(user["email"], "Wrong-password1"))[:2] == (401, "UNAUTHORIZED")

    again = admin.post(f"{path}/suspend", {"reason": "More spam"})
    assert (again.json()["data"]["suspendedReason"], again.json()["data"]["suspendedUntil"]) == ("More spam", None)
    assert again.json()["data"]["suspendedAt"] == shown["suspendedAt"]

    free = admin.post(f"{path}/unsuspend")
    assert free.json()["message"] == "User unsuspended"
    assert free.json()["data"]["suspendedAt"] is None
    assert audit_rows(own_sql, free)[0]["action"] == "UNSUSPEND_USER"
    assert audit_rows(own_sql, admin.post(f"{path}/unsuspend")) == []
    assert laptop.login(user["email"]).status_code == 200


def test_a_suspension_that_is_over(open_browser: Open, browser: Browser, sql: Sql) -> None:
    sign_in_admin(browser, sql)
    user = open_browser().register()
    path = f"/admin/users/{user['id']}"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    browser.post(f"{path}/suspend", {"reason": "Spam", "until": until})
    sql.execute("UPDATE users SET suspended_until = now() - interval '1 second' WHERE id = %s", [user["id"]])
    assert open_browser().login(user["email"], PASSWORD).status_code == 200
    assert audit_rows(sql, browser.post(f"{path}/unsuspend")) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"reason": "Spam", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"reason": "Spam", "until": "tomorrow"}, "until"),
        ({"reason": "Spam", "until": None}, "until"),
    ],
)
def test_bad_suspensions(open_browser: Open, browser: Browser, sql: Sql, body: dict[str, object], field: str) -> None:
    sign_in_admin(browser, sql)
    user = open_browser().register()
    assert bad_fields(browser.post(f"/admin/users/{user['id']}/suspend", body)) == {field}
    assert open_browser().login(user["email"]).status_code == 200


def test_not_oneself(browser: Browser, sql: Sql) -> None:
    own = sign_in_admin(browser, sql)
    assert refused(browser.post(f"/admin/users/{own}/suspend", {"reason": "Spam"})) == NOT_SELF
    assert refused(browser.delete(f"/admin/users/{own}")) == NOT_SELF
    assert refused(browser.post(f"/admin/users/{own}/erase")) == NOT_SELF
