"""Who may call /admin: admins in a session, and API keys with the scope; from the allowed networks; not too often."""

from collections.abc import Callable

import pytest

from tests.kit.admins import CONFIRM, NOT_ALLOWED, age_sign_in, sign_in_admin
from tests.kit.browser import Browser, refused
from tests.kit.native_client import NativeClient
from tests.kit.server import Server
from tests.kit.services import Service, add_api_key
from tests.kit.stored import Sql, user_row

LACKS_SCOPE = (403, "INSUFFICIENT_SCOPE", "The API key lacks a scope")
Open = Callable[..., Browser]


def test_nobody_but_an_admin(open_browser: Open, browser: Browser, sql: Sql) -> None:
    assert refused(browser.get("/admin/users"))[:2] == (401, "UNAUTHORIZED")
    user = browser.sign_up()
    for answer in (
        browser.get("/admin/users"),
        browser.get(f"/admin/users/{user['id']}"),
        browser.patch(f"/admin/users/{user['id']}", {"role": "admin"}),
        browser.post(f"/admin/users/{user['id']}/suspend", {"reason": "Spam"}),
        browser.delete(f"/admin/users/{user['id']}/sessions"),
        browser.get("/admin/users/no-number"),
    ):
        assert refused(answer) == NOT_ALLOWED
    assert user_row(sql, user["id"])["role"] == "user"
    admin = open_browser()
    sign_in_admin(admin, sql)
    assert admin.get("/admin/users").status_code == 200


def test_the_role_of_the_row_counts(browser: Browser, sql: Sql) -> None:
    """Not the one in the token, which may be five minutes old."""
    admin_id = sign_in_admin(browser, sql)
    assert browser.get("/admin/users").status_code == 200
    sql.execute("UPDATE users SET role = 'user' WHERE id = %s", [admin_id])
    assert refused(browser.get("/admin/users")) == NOT_ALLOWED
    sql.execute("UPDATE users SET role = 'admin', suspended_at = now() WHERE id = %s", [admin_id])
    assert refused(browser.get("/admin/users"))[:2] == (401, "INVALID_TOKEN")


def test_an_admin_by_bearer_token(native: NativeClient, browser: Browser, sql: Sql) -> None:
    admin_id = sign_in_admin(browser, sql)
    native.login(user_row(sql, admin_id)["email"])
    assert native.get("/admin/users").status_code == 200


def test_a_key_does_what_its_scopes_say(open_service: Callable[..., Service], browser: Browser, sql: Sql) -> None:
    user_id = browser.register()["id"]
    reader = open_service(add_api_key(sql, "users:read"))
    assert reader.request("GET", f"/admin/users/{user_id}").status_code == 200
    assert refused(reader.request("DELETE", f"/admin/users/{user_id}")) == LACKS_SCOPE
    assert refused(reader.request("GET", f"/admin/users/{user_id}/sessions")) == LACKS_SCOPE
    writer = open_service(add_api_key(sql, "users:write"))
    assert refused(writer.request("GET", "/admin/users")) == LACKS_SCOPE
    assert writer.request("DELETE", f"/admin/users/{user_id}").status_code == 200
    # Sessions only.
    assert refused(writer.request("POST", f"/admin/users/{user_id}/erase")) == NOT_ALLOWED


@pytest.mark.parametrize("minutes", [9, 11])
def test_what_cannot_be_undone_asks_for_a_recent_sign_in(
    open_browser: Open, browser: Browser, sql: Sql, minutes: int
) -> None:
    admin_id = sign_in_admin(browser, sql)
    user_id = open_browser().register()["id"]
    assert browser.delete(f"/admin/users/{user_id}").status_code == 200
    age_sign_in(sql, admin_id, minutes)
    erased = browser.post(f"/admin/users/{user_id}/erase")
    promoted = browser.patch(f"/admin/users/{open_browser().register()['id']}", {"role": "admin"})
    if minutes == 9:
        assert (erased.status_code, promoted.status_code) == (200, 200)
        return
    assert refused(erased) == refused(promoted) == CONFIRM
    # Signing in again helps.
    browser.login(user_row(sql, admin_id)["email"])
    assert browser.post(f"/admin/users/{user_id}/erase").status_code == 200


def test_a_bearer_token_is_told_how_recent(native: NativeClient, browser: Browser, sql: Sql) -> None:
    admin_id = sign_in_admin(browser, sql)
    native.login(user_row(sql, admin_id)["email"])
    age_sign_in(sql, admin_id, 11)
    answer = native.post("/admin/users/1/erase", native=False)
    assert refused(answer) == CONFIRM
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication", max_age=600'


def test_networks(
    start: Callable[..., Server], open_browser: Open, open_service: Callable[..., Service], own_sql: Sql
) -> None:
    """Outside of them, neither admins nor keys come in."""
    server = start(ADMIN_NETWORKS="10.0.0.0/8, fd00::/8", TRUSTED_PROXIES="127.0.0.1")
    browser = open_browser(server)
    sign_in_admin(browser, own_sql)
    service = open_service(add_api_key(own_sql, "users:read"), on=server)
    for address, status in (("10.1.2.3", 200), ("fd00::1", 200), ("203.0.113.7", 403), ("::ffff:10.1.2.3", 200)):
        assert browser.get("/admin/users", headers={"X-Forwarded-For": address}).status_code == status
        service.address = address
        assert service.request("GET", "/admin/users").status_code == status


def test_admin_requests_have_a_limit_of_their_own(
    start: Callable[..., Server], open_browser: Open, own_sql: Sql
) -> None:
    """Clicking through the console must not lock the admin out of the app, nor the other way round."""
    server = start(RATE_LIMIT="10/hour", ADMIN_RATE_LIMIT="20/hour")
    browser = open_browser(server)
    sign_in_admin(browser, own_sql)
    seen = [browser.get("/admin/users").status_code for _ in range(21)]
    assert seen == [200] * 20 + [429]
    assert browser.get("/auth/me").status_code == 200
