"""An account in the hands of admins: created or invited, deleted, restored, erased."""

from collections.abc import Callable

import pytest

from tests.kit.admins import sign_in_admin
from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email, refused
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer
from tests.kit.stored import Sql, audit_rows, audited, user_row

Open = Callable[..., Browser]
NO_MAIL = (409, "MAIL_NOT_CONFIGURED", "No mail is sent here")


def test_created_deleted_restored_erased(open_browser: Open, browser: Browser, sql: Sql) -> None:
    admin_id = sign_in_admin(browser, sql)
    email = new_email()
    created = browser.post(
        "/admin/users", {"name": "Ann", "email": email, "password": "Secret-words-9", "verified": True}
    )
    assert (created.status_code, created.json()["message"]) == (201, "User created")
    user = created.json()["data"]
    assert user["verifiedAt"] is not None
    assert audited(sql, created) == [("CREATE_USER", admin_id, user["id"])]
    path = f"/admin/users/{user['id']}"
    person = open_browser()
    assert person.login(email, "Secret-words-9").status_code == 200

    assert refused(browser.post(f"{path}/erase")) == (409, "USER_NOT_DELETED", "Delete the user first")
    deleted = browser.delete(path)
    assert deleted.json()["message"] == "User deleted successfully"
    assert deleted.json()["data"]["deletedAt"] is not None
    assert person.get("/auth/me").status_code == 401
    for answer in (
        browser.delete(path),
        browser.patch(path, {"name": "Changed"}),
        browser.post(f"{path}/suspend", {"reason": "Spam"}),
        browser.post(f"{path}/unsuspend"),
        browser.post(f"{path}/reset-mail"),
    ):
        assert refused(answer) == (404, "USER_NOT_FOUND", "User not found")
    assert browser.get(path).status_code == 200

    restored = browser.post(f"{path}/restore")
    assert restored.json()["message"] == "User restored successfully"
    assert refused(browser.post(f"{path}/restore"))[:2] == (404, "USER_NOT_FOUND")
    assert person.login(email, "Secret-words-9").status_code == 200

    browser.delete(path)
    erased = browser.post(f"{path}/erase")
    assert (erased.json()["message"], erased.json()["data"]) == ("User erased", None)
    assert audited(sql, erased) == [("ERASE_USER", admin_id, user["id"])]
    assert refused(browser.get(path))[:2] == (404, "USER_NOT_FOUND")
    left = sql.execute("SELECT action, actor_id FROM audit_logs WHERE entity_id = %s ORDER BY id", [user["id"]])
    rows = left.fetchall()
    assert rows[0]["action"] == "CREATE_USER"
    assert user["id"] not in {row["actor_id"] for row in rows}


def test_restored_beside_a_newer_account(open_browser: Open, browser: Browser, sql: Sql) -> None:
    sign_in_admin(browser, sql)
    user = open_browser().register()
    browser.delete(f"/admin/users/{user['id']}")
    open_browser().register(user["email"])
    assert refused(browser.post(f"/admin/users/{user['id']}/restore"))[:2] == (409, "EMAIL_ALREADY_EXISTS")
    assert user_row(sql, user["id"])["is_deleted"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "password"),
        ({"password": "Secret-words-9", "invite": True}, "password"),
        ({"invite": False}, "password"),
        ({"invite": "yes"}, "invite"),
        ({"password": "short"}, "password"),
        ({"password": "ann@example.com"}, "password"),
        ({"password": None}, "password"),
        ({"password": "Secret-words-9", "verified": 1}, "verified"),
    ],
)
def test_bad_new_users(browser: Browser, sql: Sql, body: dict[str, object], field: str) -> None:
    sign_in_admin(browser, sql)
    answer = browser.post("/admin/users", {"name": "Ann", "email": "ann@example.com"} | body)
    assert bad_fields(answer) == {field}


def test_a_taken_address(open_browser: Open, browser: Browser, sql: Sql) -> None:
    sign_in_admin(browser, sql)
    user = open_browser().register()
    body = {"name": "Ann", "email": user["email"], "password": PASSWORD}
    assert refused(browser.post("/admin/users", body))[:2] == (409, "EMAIL_ALREADY_EXISTS")


def test_mails(mailing: Server, smtp: SmtpServer, open_browser: Open, own_sql: Sql) -> None:
    """An invited user chooses a password by the link, and so does one who gets a reset link."""
    admin = open_browser(mailing)
    sign_in_admin(admin, own_sql)
    invited = admin.post("/admin/users", {"name": "Ann", "email": "ann@example.com", "invite": True})
    assert invited.status_code == 201
    (first,) = smtp.wait_for(1)
    assert (
        admin.post("/auth/reset-password", {"token": first.token, "newPassword": "Secret-words-9"}).status_code == 200
    )
    answer = admin.post(f"/admin/users/{invited.json()['data']['id']}/reset-mail")
    assert (answer.json()["message"], answer.json()["data"]) == ("Reset link sent", None)
    # Between them, the notice of the new password.
    assert [("#token=" in mail.text) for mail in smtp.wait_for(3)] == [True, False, True]
    assert audit_rows(own_sql, answer)[0]["action"] == "RESET_LINK_REQUESTED"


def test_without_mail(start: Callable[..., Server], open_browser: Open, own_sql: Sql) -> None:
    admin = open_browser(start(ENVIRONMENT="production", PUBLIC_URL="", SMTP_URL=""))
    sign_in_admin(admin, own_sql)
    user = open_browser(admin.server).register()
    assert refused(admin.post(f"/admin/users/{user['id']}/reset-mail")) == NO_MAIL
    body = {"name": "Ann", "email": "ann@example.com", "invite": True}
    assert refused(admin.post("/admin/users", body)) == NO_MAIL
    assert own_sql.execute("SELECT 1 FROM users WHERE email = 'ann@example.com'").fetchone() is None
