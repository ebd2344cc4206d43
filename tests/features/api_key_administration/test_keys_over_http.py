"""Admins create, list and revoke API keys over HTTP. No key does."""

from collections.abc import Callable

from tests.kit.admins import CONFIRM, NOT_ALLOWED, age_sign_in, sign_in_admin
from tests.kit.browser import Browser, bad_fields, refused
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql, audit_rows
from tests.kit.waiting import eventually

Open = Callable[..., Browser]
PATH = "/admin/api-keys"
INVALID = (401, "INVALID_API_KEY", "Invalid API key")


def test_the_life_of_a_key(
    start: Callable[..., Server], open_browser: Open, open_service: Callable[..., Service], own_sql: Sql
) -> None:
    """It works at once on every instance, is shown once, and is refused everywhere within two seconds."""
    here, there = start(**ONE_INSTALLATION), start(**ONE_INSTALLATION)
    admin = open_browser(here)
    admin_id = sign_in_admin(admin, own_sql)
    created = admin.post(PATH, {"name": " Support tool ", "scopes": ["users:write", "users:read", "users:read"]})
    assert (created.status_code, created.json()["message"]) == (201, "API key created")
    data = created.json()["data"]
    assert list(data) == [
        *("id", "name", "scopes", "createdBy", "createdAt", "expiresAt", "lastUsedAt", "revokedAt", "key"),
    ]
    assert (data["name"], data["scopes"], data["createdBy"]) == (
        "Support tool",
        ["users:read", "users:write"],
        admin_id,
    )
    (row,) = audit_rows(own_sql, created)
    assert (row["action"], row["actor_id"], row["entity_type"]) == ("CREATE_API_KEY", admin_id, "api_keys")
    assert row["metadata"]["id"] == data["id"]

    tools = [open_service(data["key"], on=server) for server in (here, there)]
    for tool in tools:
        assert tool.request("GET", "/admin/users").status_code == 200
    listed = admin.get(PATH).json()["data"]
    assert [each["id"] for each in listed] == [data["id"]]
    assert "key" not in listed[0]

    revoked = admin.delete(f"{PATH}/{data['id']}")
    assert (revoked.json()["message"], revoked.json()["data"]) == ("API key revoked", None)
    assert audit_rows(own_sql, revoked)[0]["action"] == "REVOKE_API_KEY"
    for tool in tools:
        eventually(lambda tool=tool: tool.request("GET", "/admin/users").status_code == 401, "refused", within=2.0)
        assert refused(tool.request("GET", "/admin/users")) == INVALID
    assert audit_rows(own_sql, admin.delete(f"{PATH}/{data['id']}")) == []
    assert refused(admin.delete(f"{PATH}/nothing")) == (404, "API_KEY_NOT_FOUND", "API key not found")


def test_who_may(browser: Browser, open_browser: Open, open_service: Callable[..., Service], sql: Sql) -> None:
    body = {"name": "Tool", "scopes": ["users:read"]}
    user = open_browser()
    user.sign_up()
    for answer in (user.post(PATH, body), user.get(PATH), user.delete(f"{PATH}/a")):
        assert refused(answer) == NOT_ALLOWED
    service = open_service(add_api_key(sql, "users:read", "users:write"))
    assert refused(service.request("GET", PATH)) == NOT_ALLOWED
    assert refused(service.request("DELETE", f"{PATH}/a")) == NOT_ALLOWED
    admin_id = sign_in_admin(browser, sql)
    age_sign_in(sql, admin_id, 11)
    assert refused(browser.post(PATH, body)) == CONFIRM
    assert refused(browser.delete(f"{PATH}/a")) == CONFIRM
    assert browser.get(PATH).status_code == 200


def test_bad_bodies(browser: Browser, sql: Sql) -> None:
    sign_in_admin(browser, sql)
    good = {"name": "Tool", "scopes": ["users:read"]}
    for change, field in (
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "users:read"}, "scopes"),
        ({"scopes": ["users:everything"]}, "scopes"),
        ({"scopes": [1]}, "scopes"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": 3651}, "expiresInDays"),
        ({"expiresInDays": True}, "expiresInDays"),
        ({"expiresInDays": "1"}, "expiresInDays"),
    ):
        assert bad_fields(browser.post(PATH, good | change)) == {field}, change
    forever = browser.post(PATH, good | {"expiresInDays": None}).json()["data"]
    assert forever["expiresAt"] is None
