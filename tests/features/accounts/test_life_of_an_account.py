"""The whole life of one account, as the audit log tells it."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.routes import NEW_PASSWORD, UNKNOWN_TOKEN
from tests.kit.stored import Sql, plant_reset_token

pytestmark = pytest.mark.smoke

ACTIONS_OF_THE_ORIGINAL = {
    "LOGIN",
    "CREATE_USER",
    "UPDATE_USER",
    "DELETE_USER",
    "RESTORE_USER",
    "CHANGE_PASSWORD",
    "RESET_PASSWORD",
    "TOKEN_REUSE_DETECTED",
}


def test_every_action_has_its_row_and_every_row_its_action(browser: Browser, sql: Sql) -> None:
    """One audit row for each acknowledged change, in order, by and about the user, without personal data."""
    user = browser.sign_up()
    url, email = f"/users/{user['id']}", new_email()
    changed = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    answers = [
        browser.patch(url, {"name": "Other Name"}),
        browser.patch(url, {"name": "Other Name"}),
        browser.put(url, {"name": "Other Name", "email": email}),
        browser.put(url, {"name": "", "email": email}),
        browser.post("/auth/change-password", changed),
        browser.login(email, PASSWORD),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 200, 401]
    stolen = browser.cookies["refreshToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    replay = browser.cookies | {"refreshToken": stolen}
    assert browser.post("/auth/refresh-token", cookies=replay).status_code == 401
    plant_reset_token(sql, user["id"], "5" * 64)
    answers = [
        browser.post("/auth/reset-password", {"token": UNKNOWN_TOKEN, "newPassword": PASSWORD}),
        browser.post("/auth/reset-password", {"token": "5" * 64, "newPassword": PASSWORD}),
        browser.login(email),
        browser.delete(url),
        browser.patch(url + "/restore"),
        browser.login(email),
        browser.post("/auth/logout"),
    ]
    assert [answer.status_code for answer in answers] == [400, 200, 200, 200, 200, 200, 200]

    rows = sql.execute("SELECT * FROM audit_logs WHERE entity_id = %s ORDER BY id", [user["id"]]).fetchall()
    assert [row["action"] for row in rows] == [
        "CREATE_USER",
        "LOGIN",
        "UPDATE_USER",
        "UPDATE_USER",
        "CHANGE_PASSWORD",
        "LOGIN_FAILED",
        "TOKEN_REUSE_DETECTED",
        "RESET_PASSWORD",
        "LOGIN",
        "DELETE_USER",
        "RESTORE_USER",
        "LOGIN",
        "LOGOUT",
    ]
    assert {row["action"] for row in rows} >= ACTIONS_OF_THE_ORIGINAL
    assert {row["entity_type"] for row in rows} == {"users"}
    assert {(row["action"], row["actor_id"]) for row in rows if row["actor_id"] != user["id"]} == {
        ("LOGIN_FAILED", None)
    }
    told = repr([row["metadata"] for row in rows])
    personal = (PASSWORD, NEW_PASSWORD, email, user["email"], "Other Name", "Siam", stolen, "5" * 64)
    assert not [value for value in personal if value in told]


def test_two_users_have_trails_of_their_own(open_browser: Callable[[], Browser], sql: Sql) -> None:
    """Each user's rows are about that user only. A failed login is about the user of the address."""
    first, second = open_browser(), open_browser()
    user, other = first.sign_up(), second.sign_up()
    assert first.patch(f"/users/{other['id']}", {"name": "Not Mine"}).status_code == 403
    assert first.login(other["email"], "Wrong-password1").status_code == 401
    rows = sql.execute(
        "SELECT action, actor_id, entity_id FROM audit_logs WHERE entity_id = ANY(%s) ORDER BY id",
        [[user["id"], other["id"]]],
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        ("CREATE_USER", user["id"], user["id"]),
        ("LOGIN", user["id"], user["id"]),
        ("CREATE_USER", other["id"], other["id"]),
        ("LOGIN", other["id"], other["id"]),
        ("LOGIN_FAILED", None, other["id"]),
    ]
