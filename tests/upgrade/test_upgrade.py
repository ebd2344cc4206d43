"""An upgrade: the previous release's database, with all that waits in it, in the hands of this release."""

from collections.abc import Callable
from typing import Any

import psycopg

from latchkey.sessions.devices import device_name
from tests.kit.browser import PASSWORD, Browser
from tests.kit.releases import Release, mailed_token
from tests.kit.smtp_server import SmtpServer
from tests.kit.waiting import eventually

Sql = psycopg.Connection[dict[str, Any]]
NEW_PASSWORD = "Changed456!"


def test_users_sessions_audit_rows_and_waiting_mails_come_over(
    releases: tuple[Release, Release], browse: Callable[..., Browser], sql: Sql, smtp: SmtpServer
) -> None:
    old, new = releases
    old.command("migrate")
    before = old.serve()
    laptop = browse(before, previous=True)
    siam = laptop.sign_up()
    phone = browse(before, previous=True)
    assert phone.login(siam["email"]).status_code == 200
    leaver = browse(before, previous=True)
    gone = leaver.sign_up()
    assert leaver.delete(f"/users/{gone['id']}").status_code == 200
    # Nobody takes mails now: this one waits.
    smtp.stop()
    assert laptop.post("/auth/forgot-password", {"email": siam["email"]}).status_code == 200
    eventually(lambda: bool(sql.execute("SELECT 1 FROM mail_outbox WHERE attempts > 0").fetchone()), "a mail waits")
    assert before.stop() == 0
    recorded = sql.execute("SELECT * FROM audit_logs ORDER BY id").fetchall()
    assert {row["action"] for row in recorded} >= {"CREATE_USER", "LOGIN", "DELETE_USER", "FORGOT_PASSWORD"}

    new.command("migrate")
    rows = sql.execute("SELECT * FROM audit_logs ORDER BY id").fetchall()
    assert [{name: row[name] for name in recorded[0]} for row in rows] == recorded
    sql.execute("UPDATE mail_outbox SET next_attempt_at = now()")
    smtp.start()
    after = new.serve()

    # Signed in stays signed in, on both devices.
    at_home, on_the_way = browse(after, laptop.cookies), browse(after, phone.cookies)
    assert at_home.get("/auth/me").json()["data"]["email"] == siam["email"]
    listed = at_home.get("/auth/sessions").json()["data"]
    assert len(listed) == 2
    assert all(session["device"] == device_name(session["userAgent"]) for session in listed), "named when listed"
    for browser in (at_home, on_the_way):
        for _ in range(2):
            assert browser.post("/auth/refresh-token").status_code == 200
        assert browser.get("/auth/me").status_code == 200

    assert browse(after).login(siam["email"]).status_code == 200
    assert browse(after).login(gone["email"]).status_code == 401
    new.command("users", "restore", str(gone["id"]))
    assert browse(after).login(gone["email"]).status_code == 200

    reset = {"token": mailed_token(smtp, siam["email"]), "newPassword": NEW_PASSWORD}
    assert browse(after).post("/auth/reset-password", reset).status_code == 200
    assert at_home.get("/auth/me").status_code == 401
    assert browse(after).login(siam["email"], PASSWORD).status_code == 401
    assert browse(after).login(siam["email"], NEW_PASSWORD).status_code == 200
    assert after.stop() == 0, after.printed()
