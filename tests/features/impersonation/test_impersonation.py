"""An admin acts for a user: they see what the user sees, change nothing, and everybody can find it out."""

from collections.abc import Callable, Iterator

import pytest

from tests.kit import plain_http
from tests.kit.admins import CONFIRM, NOT_ALLOWED, NOT_SELF, age_sign_in, sign_in_admin
from tests.kit.answers import claims_of
from tests.kit.browser import Browser, bad_fields, refused
from tests.kit.native_client import NativeClient
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql, audit_rows, endings, user_row
from tests.kit.wire import Wire

Open = Callable[..., Browser]
LOOK_ONLY = (403, "NOT_WHILE_IMPERSONATING", "Not while acting for somebody else")
WHY = {"reason": "Ticket 42"}


@pytest.fixture
def on(start: Callable[..., Server]) -> Server:
    return start(IMPERSONATION="true", SESSION_LIMIT="1")


@pytest.fixture
def opened(on: Server) -> Iterator[Callable[[], Browser]]:
    """Opens browsers that check answers by this server's own document, which has the endpoint."""
    wire = Wire(plain_http.get(f"{on.url}/openapi.json", timeout=10).json())
    browsers: list[Browser] = []

    def open_one() -> Browser:
        browsers.append(Browser(on, wire))
        return browsers[-1]

    yield open_one
    for each in browsers:
        each.close()


def test_an_admin_looks_and_leaves(opened: Callable[[], Browser], own_sql: Sql) -> None:
    admin, owner = opened(), opened()
    admin_id, user = sign_in_admin(admin, own_sql), owner.sign_up()
    begun = admin.post(f"/admin/users/{user['id']}/impersonate", WHY)
    assert begun.json() == {"success": True, "message": "Impersonating", "data": {"user": user}}
    assert endings(own_sql, admin_id) == ["impersonation"]
    row, revoked = audit_rows(own_sql, begun)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("IMPERSONATE", admin_id, user["id"])
    assert row["metadata"]["reason"] == "Ticket 42"
    assert (revoked["action"], revoked["entity_id"]) == ("SESSION_REVOKED", admin_id)

    claims = claims_of(admin.cookies["accessToken"])
    assert (claims["sub"], claims["act"], claims["amr"]) == (str(user["id"]), {"sub": str(admin_id)}, [])
    assert admin.get("/auth/me").json()["data"] == user
    for answer in (
        admin.patch(f"/users/{user['id']}", {"name": "Changed"}),
        admin.put("/auth/me/metadata", {"owner": {"a": 1}}),
        admin.delete("/auth/sessions"),
        admin.delete(f"/users/{user['id']}"),
        admin.patch(f"/users/{user['id']}/restore"),
        admin.post("/auth/change-password", {"currentPassword": "Secret123!", "newPassword": "Another-word-7"}),
    ):
        assert refused(answer) == LOOK_ONLY
    assert refused(admin.get("/admin/users")) == NOT_ALLOWED
    assert admin.post("/auth/refresh-token").status_code == 200
    assert claims_of(admin.cookies["accessToken"])["act"] == {"sub": str(admin_id)}
    cap = own_sql.execute(
        "SELECT extract(epoch FROM expires_at - created_at)::int AS seconds FROM sessions WHERE actor_id IS NOT NULL"
    ).fetchone()
    assert cap is not None
    assert 1795 <= cap["seconds"] <= 1805

    # The user's own session went on, although one is the limit, and shows the other one.
    seen = owner.get("/auth/sessions").json()["data"]
    assert sorted(each.get("impersonated", False) for each in seen) == [False, True]
    assert admin.post("/auth/logout").status_code == 200
    assert owner.get("/auth/me").status_code == 200
    assert all("impersonated" not in each for each in owner.get("/auth/sessions").json()["data"])


def test_it_ends_with_the_rights_of_the_admin(opened: Callable[[], Browser], own_sql: Sql) -> None:
    admin, boss, owner = opened(), opened(), opened()
    admin_id, user = sign_in_admin(admin, own_sql), owner.sign_up()
    sign_in_admin(boss, own_sql)
    assert admin.post(f"/admin/users/{user['id']}/impersonate", WHY).status_code == 200
    assert boss.patch(f"/admin/users/{admin_id}", {"role": "user"}).status_code == 200
    assert refused(admin.get("/auth/me"))[:2] == (401, "INVALID_TOKEN")
    assert owner.get("/auth/me").status_code == 200


def test_for_whom_not(opened: Callable[[], Browser], own_sql: Sql) -> None:
    admin, other, owner = opened(), opened(), opened()
    admin_id, other_id, user = sign_in_admin(admin, own_sql), sign_in_admin(other, own_sql), owner.sign_up()
    path = f"/admin/users/{user['id']}/impersonate"
    assert refused(admin.post(f"/admin/users/{other_id}/impersonate", WHY)) == NOT_ALLOWED
    assert refused(admin.post(f"/admin/users/{admin_id}/impersonate", WHY)) == NOT_SELF
    assert bad_fields(admin.post(path, {})) == {"reason"}
    assert refused(admin.post("/admin/users/2147483647/impersonate", WHY))[:2] == (404, "USER_NOT_FOUND")
    age_sign_in(own_sql, admin_id, 11)
    assert refused(admin.post(path, WHY)) == CONFIRM
    admin.login(user_row(own_sql, admin_id)["email"])
    own_sql.execute("UPDATE users SET suspended_at = now() WHERE id = %s", [user["id"]])
    assert refused(admin.post(path, WHY)) == NOT_ALLOWED
    assert admin.get("/admin/users").status_code == 200
    assert own_sql.execute("SELECT 1 FROM sessions WHERE actor_id IS NOT NULL").fetchone() is None


def test_by_whom_not(on: Server, opened: Callable[[], Browser], own_sql: Sql) -> None:
    """Neither by a key nor by a bearer token, which has no cookies to replace."""
    admin, owner = opened(), opened()
    admin_id, user = sign_in_admin(admin, own_sql), owner.sign_up()
    path = f"/admin/users/{user['id']}/impersonate"
    phone = NativeClient(on, admin.wire)
    phone.login(user_row(own_sql, admin_id)["email"])
    assert refused(phone.post(path, WHY)) == NOT_ALLOWED
    service = Service(on, admin.wire, add_api_key(own_sql, "users:write"))
    headers = {"Content-Type": "application/json"}
    assert refused(service.request("POST", path, content=b'{"reason": "x"}', headers=headers)) == NOT_ALLOWED
    phone.close()
    service.close()


def test_off_by_default(browser: Browser, open_browser: Open, sql: Sql) -> None:
    sign_in_admin(browser, sql)
    user = open_browser().register()
    answer = browser.post(f"/admin/users/{user['id']}/impersonate", WHY)
    assert refused(answer) == (404, "RESOURCE_NOT_FOUND", "Not found")
