"""Changing a user: fields, metadata, claims and role, each with its audit row, or nothing at all."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kit.admins import NOT_ALLOWED, NOT_SELF, sign_in_admin
from tests.kit.answers import claims_of
from tests.kit.browser import Browser, bad_fields, new_email, refused
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql, audit_rows, audited, endings, user_row

Open = Callable[..., Browser]


@pytest.fixture
def admin(open_browser: Open, sql: Sql) -> Browser:
    browser = open_browser()
    sign_in_admin(browser, sql)
    return browser


def test_fields_and_their_audit_row(admin: Browser, browser: Browser, sql: Sql) -> None:
    user = browser.sign_up()
    email = new_email()
    answer = admin.patch(f"/admin/users/{user['id']}", {"name": " Ann ", "email": email.upper(), "verified": True})
    assert answer.json()["message"] == "User updated"
    shown = answer.json()["data"]
    assert (shown["name"], shown["email"], shown["verifiedAt"] is not None) == ("Ann", email, True)
    (row,) = audit_rows(sql, answer)
    assert (row["action"], row["entity_id"], row["metadata"]["changed"]) == (
        "UPDATE_USER",
        user["id"],
        ["name", "email", "verified"],
    )
    again = admin.patch(f"/admin/users/{user['id']}", {"name": "Ann", "email": email, "verified": True})
    assert (again.status_code, audit_rows(sql, again)) == (200, [])
    # A new address is not verified.
    moved = admin.patch(f"/admin/users/{user['id']}", {"email": new_email()})
    assert moved.json()["data"]["verifiedAt"] is None
    assert browser.get("/auth/me").json()["data"]["name"] == "Ann"


def test_what_is_refused(admin: Browser, browser: Browser, sql: Sql) -> None:
    user, other = browser.sign_up(), admin.get("/auth/me").json()["data"]
    path = f"/admin/users/{user['id']}"
    for body, fields in (
        ({"name": ""}, {"name"}),
        ({"name": None}, {"name"}),
        ({"email": "no address"}, {"email"}),
        ({"verified": "yes"}, {"verified"}),
        ({"verified": None}, {"verified"}),
        ({"role": "owner"}, {"role"}),
        ({"role": None}, {"role"}),
        ({"password": "Another-1-password"}, {"password"}),
        ({"metadata": []}, {"metadata"}),
        ({"metadata": {"owner": {}}}, {"metadata"}),
        ({"metadata": {"public": []}}, {"metadata"}),
        ({"metadata": {"public": {"a": "x" * 5_000}, "private": {"a": "x" * 4_000}}}, {"metadata"}),
        ({"metadata": {"public": {"a": "\0"}}}, {"metadata"}),
        ({"tokenClaims": {"a": "x" * 512}}, {"tokenClaims"}),
        ({"tokenClaims": "plan"}, {"tokenClaims"}),
    ):
        answer = admin.patch(path, body)
        assert answer.status_code == 400, body
        assert bad_fields(answer) == fields, body
        assert audit_rows(sql, answer) == []
    assert refused(admin.patch(path, {})) == (400, "VALIDATION_ERROR", "No data provided for update")
    taken = admin.patch(path, {"name": "Ann", "email": other["email"]})
    assert refused(taken) == (409, "EMAIL_ALREADY_EXISTS", "Email already exists")
    assert user_row(sql, user["id"])["name"] == "Siam"
    assert refused(admin.patch("/admin/users/2147483647", {"name": "Ann"}))[:2] == (404, "USER_NOT_FOUND")


def test_metadata(admin: Browser, browser: Browser, sql: Sql) -> None:
    """Each part is replaced whole. The user reads what is public, never what is private."""
    user = browser.sign_up()
    path = f"/admin/users/{user['id']}"
    assert browser.put("/auth/me/metadata", {"owner": {"theme": "dark"}}).status_code == 200
    first = admin.patch(path, {"metadata": {"public": {"plan": "pro", "ü": [1, 2.5, None]}, "private": {"risk": 3}}})
    assert first.json()["data"]["metadata"] == {
        "owner": {"theme": "dark"},
        "public": {"plan": "pro", "ü": [1, 2.5, None]},
        "private": {"risk": 3},
    }
    assert audit_rows(sql, first)[0]["metadata"]["changed"] == ["metadata"]
    second = admin.patch(path, {"metadata": {"public": {"plan": "free"}}})
    assert second.json()["data"]["metadata"]["private"] == {"risk": 3}
    assert second.json()["data"]["metadata"]["public"] == {"plan": "free"}
    same = admin.patch(path, {"metadata": {"public": {"plan": "free"}}})
    assert audit_rows(sql, same) == []
    seen = browser.get("/auth/me/metadata").json()["data"]
    assert seen == {"owner": {"theme": "dark"}, "public": {"plan": "free"}}


def test_claims_for_the_app(admin: Browser, browser: Browser) -> None:
    """They are in access tokens from the next refresh on."""
    user = browser.sign_up()
    path = f"/admin/users/{user['id']}"
    assert admin.patch(path, {"tokenClaims": {"plan": "pro"}}).json()["data"]["tokenClaims"] == {"plan": "pro"}
    assert "app" not in claims_of(browser.cookies["accessToken"])
    browser.post("/auth/refresh-token")
    assert claims_of(browser.cookies["accessToken"])["app"] == {"plan": "pro"}
    assert admin.patch(path, {"tokenClaims": None}).json()["data"]["tokenClaims"] is None
    browser.post("/auth/refresh-token")
    assert "app" not in claims_of(browser.cookies["accessToken"])


def test_a_role(admin: Browser, browser: Browser, open_service: Callable[..., Service], sql: Sql) -> None:
    """Another role ends the user's sessions. Keys set none, and nobody sets their own."""
    user = browser.sign_up()
    path = f"/admin/users/{user['id']}"
    service = open_service(add_api_key(sql, "users:write"))
    content = b'{"role": "admin"}'
    by_key = service.request("PATCH", path, content=content, headers={"Content-Type": "application/json"})
    assert refused(by_key) == NOT_ALLOWED
    made = admin.patch(path, {"role": "admin"})
    assert made.json()["data"]["role"] == "admin"
    assert audit_rows(sql, made)[0]["metadata"]["changed"] == ["role"]
    assert endings(sql, user["id"]) == ["role-change"]
    own = admin.get("/auth/me").json()["data"]["id"]
    assert refused(admin.patch(f"/admin/users/{own}", {"role": "user", "name": "Changed"})) == NOT_SELF
    assert user_row(sql, own)["name"] == "Siam"
    # One's own name is one's own.
    assert admin.patch(f"/admin/users/{own}", {"name": "Ann"}).status_code == 200


def test_a_key_changes_nothing_of_an_admin(
    admin: Browser, open_browser: Open, open_service: Callable[..., Service], sql: Sql
) -> None:
    """A stolen key must not lock the people out who can revoke it."""
    other = open_browser()
    user_id = sign_in_admin(other, sql)
    service = open_service(add_api_key(sql, "users:write", "sessions:write", "users:read", "sessions:read"))
    as_json: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}
    path = f"/admin/users/{user_id}"
    session_id = service.request("GET", f"{path}/sessions").json()["data"][0]["id"]
    for answer in (
        service.request("PATCH", path, content=b'{"name": "Changed"}', **as_json),
        service.request("POST", f"{path}/suspend", content=b'{"reason": "Spam"}', **as_json),
        service.request("POST", f"{path}/unsuspend"),
        service.request("DELETE", path),
        service.request("POST", f"{path}/reset-mail"),
        service.request("DELETE", f"{path}/sessions"),
        service.request("DELETE", f"{path}/sessions/{session_id}"),
    ):
        assert refused(answer) == NOT_ALLOWED
        assert audit_rows(sql, answer) == []
    assert other.get("/auth/me").status_code == 200
    admin.delete(path)
    assert refused(service.request("POST", f"{path}/restore")) == NOT_ALLOWED


def test_the_row_of_a_key(browser: Browser, open_service: Callable[..., Service], sql: Sql) -> None:
    """It has no actor, and the key's id."""
    user = browser.sign_up()
    key = add_api_key(sql, "users:write")
    answer = open_service(key).request("DELETE", f"/admin/users/{user['id']}")
    (row,) = audit_rows(sql, answer)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("DELETE_USER", None, user["id"])
    assert row["metadata"]["apiKeyId"] == key[3:15]
    assert "sessionId" not in row["metadata"]


def test_sessions_of_a_user(admin: Browser, open_browser: Open, sql: Sql) -> None:
    phone, laptop = open_browser(), open_browser()
    user = phone.sign_up()
    laptop.login(user["email"])
    path = f"/admin/users/{user['id']}/sessions"
    listed = admin.get(path).json()["data"]
    assert len(listed) == 2
    assert "current" not in listed[0]
    ended = admin.delete(f"{path}/{listed[0]['id']}")
    assert ended.json()["message"] == "Session ended"
    assert audited(sql, ended)[0][0] == "SESSION_REVOKED"
    assert refused(admin.delete(f"{path}/{listed[0]['id']}"))[:2] == (404, "SESSION_NOT_FOUND")
    assert admin.delete(path).json()["data"] == {"ended": 1}
    assert {phone.get("/auth/me").status_code, laptop.get("/auth/me").status_code} == {401}
    assert admin.get(f"/admin/users/{user['id']}").json()["data"]["liveSessions"] == 0
    assert refused(admin.get("/admin/users/2147483647/sessions"))[:2] == (404, "USER_NOT_FOUND")
    assert refused(admin.delete("/admin/users/2147483647/sessions"))[:2] == (404, "USER_NOT_FOUND")
