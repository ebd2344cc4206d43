"""The audit log of a whole account's life: each change once, with who, where and by which session."""

from collections.abc import Callable

import httpx

from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.forging import refresh_with
from tests.kit.stored import Sql, audit_rows, audited

NEW_PASSWORD = "Changed456!"
RESET_PASSWORD = "Reset-789!"


def session_of(browser: Browser) -> str:
    """The session that the browser's cookies name."""
    return str(claims_of(browser.cookies["accessToken"])["sid"])


class Trail:
    """Compares what requests wrote with what they should have."""

    def __init__(self, sql: Sql, user_id: int) -> None:
        self.sql = sql
        self.user_id = user_id
        self.requests: set[str] = set()

    def expect(
        self,
        response: httpx.Response,
        action: str | None,
        *,
        by: int | None = None,
        session: str | None = None,
        changed: list[str] | None = None,
    ) -> None:
        """Holds that this request wrote one such row about the user, or none."""
        self.requests.add(response.headers["x-request-id"])
        rows = audit_rows(self.sql, response)
        if action is None:
            assert rows == []
            return
        (row,) = rows
        assert (row["action"], row["actor_id"]) == (action, by)
        assert (row["entity_type"], row["entity_id"]) == ("users", self.user_id)
        where = {"ip": "127.0.0.1", "userAgent": response.request.headers["user-agent"]}
        what = {name: value for name, value in (("sessionId", session), ("changed", changed)) if value}
        what |= {"transport": "cookie", "amr": ["pwd"]} if action == "LOGIN" else {}
        assert row["metadata"] == where | what | {"requestId": response.headers["x-request-id"]}

    def check_nothing_else(self) -> None:
        """Holds that every row about the user came from one of those requests."""
        rows = self.sql.execute(
            "SELECT metadata->>'requestId' AS request FROM audit_logs WHERE entity_id = %(id)s OR actor_id = %(id)s",
            {"id": self.user_id},
        ).fetchall()
        assert {row["request"] for row in rows} <= self.requests


def test_signing_in_and_changing_the_account(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """One row for each change, and none where nothing changed."""
    other = open_browser()
    account = {"name": "Siam", "email": new_email(), "password": PASSWORD}
    registered = browser.post("/auth/register", account)
    me = registered.json()["data"]["user"]["id"]
    trail = Trail(sql, me)
    trail.expect(registered, "CREATE_USER", by=me)
    trail.expect(browser.post("/auth/register", account), None)
    trail.expect(browser.login(account["email"], "Wrong-password1"), "LOGIN_FAILED")
    trail.expect(browser.login(account["email"]), "LOGIN", by=me, session=session_of(browser))
    trail.expect(other.login(account["email"]), "LOGIN", by=me, session=session_of(other))
    here = session_of(browser)
    trail.expect(browser.get(f"/users/{me}"), None)
    trail.expect(other.patch(f"/users/{me + 1}", {"name": "Not mine"}), None)
    for body, changed in (
        ({"name": "Renamed"}, ["name"]),
        ({"name": "Renamed"}, None),
        ({"name": "Moved", "email": new_email()}, ["name", "email"]),
    ):
        action = "UPDATE_USER" if changed else None
        trail.expect(browser.patch(f"/users/{me}", body), action, by=me, session=here, changed=changed)
    trail.expect(browser.put(f"/users/{me}", body), None)
    trail.expect(browser.post("/auth/refresh-token"), None)
    trail.expect(browser.post("/auth/logout"), "LOGOUT", by=me, session=here)
    trail.expect(browser.post("/auth/logout"), None)
    trail.check_nothing_else()


def test_passwords_recovery_and_reuse(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """What was changed by whom, and by the session of which token."""
    other = open_browser()
    user = browser.sign_up()
    me, there = user["id"], user["email"]
    sql.execute("DELETE FROM audit_logs WHERE entity_id = %s", [me])
    trail, here = Trail(sql, me), session_of(browser)
    change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    changed = browser.post("/auth/change-password", change)
    trail.expect(changed, "CHANGE_PASSWORD", by=me, session=here, changed=["password"])
    trail.expect(browser.post("/auth/change-password", change), None)
    asked = other.post("/auth/forgot-password", {"email": there.upper()})
    reset = {"token": browser.server.reset_token_mailed_to(there), "newPassword": PASSWORD}
    trail.expect(asked, "FORGOT_PASSWORD")
    trail.expect(other.post("/auth/reset-password", reset), "RESET_PASSWORD", by=me, changed=["password"])
    trail.expect(other.post("/auth/reset-password", reset), None)
    trail.expect(browser.post("/auth/refresh-token"), None)
    trail.expect(other.login(there), "LOGIN", by=me, session=session_of(other))
    stolen, theirs = other.cookies["refreshToken"], session_of(other)
    trail.expect(other.post("/auth/refresh-token"), None)
    trail.expect(refresh_with(browser, stolen), "TOKEN_REUSE_DETECTED", by=me, session=theirs)
    trail.expect(refresh_with(browser, stolen), None)
    trail.check_nothing_else()


def test_deletion_and_return(browser: Browser, sql: Sql) -> None:
    """Both rows name the one session that may do so."""
    user = browser.sign_up()
    me = user["id"]
    sql.execute("DELETE FROM audit_logs WHERE entity_id = %s", [me])
    trail, here = Trail(sql, me), session_of(browser)
    trail.expect(browser.delete(f"/users/{me}"), "DELETE_USER", by=me, session=here)
    trail.expect(browser.delete(f"/users/{me}"), None)
    assert audited(sql, browser.login(user["email"])) == [("LOGIN_FAILED", None, None)]
    trail.expect(browser.patch(f"/users/{me}/restore"), "RESTORE_USER", by=me, session=here)
    trail.expect(browser.patch(f"/users/{me}/restore"), None)
    trail.check_nothing_else()


def test_a_login_of_nobody_is_recorded_about_nobody(browser: Browser, sql: Sql) -> None:
    """A row says that somebody tried, and not which address."""
    address = new_email("nobody")
    response = browser.login(address)
    (row,) = audit_rows(sql, response)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("LOGIN_FAILED", None, None)
    assert row["metadata"].keys() == {"ip", "userAgent", "requestId"}
    assert address not in repr(row)


def test_the_user_agent_is_cleaned_and_cut(open_browser: Callable[..., Browser], sql: Sql) -> None:
    """A client's own text has no control characters and at most 512 characters."""
    agent = "Evil\tAgent\x85\xa0" + "\xe9" * 600
    browser = open_browser(headers={"User-Agent": agent.encode("latin-1")})
    user = browser.register()
    response = browser.login(user["email"])
    (row,) = audit_rows(sql, response)
    kept = ("EvilAgent" + "\xe9" * 600)[:512]
    assert row["metadata"]["userAgent"] == kept
    session = sql.execute("SELECT ip, user_agent FROM sessions WHERE user_id = %s", [user["id"]]).fetchone()
    assert session == {"ip": "127.0.0.1", "user_agent": kept}


def test_no_row_holds_what_it_must_not(browser: Browser, sql: Sql) -> None:
    """No password, token, name or address of the account is in any row."""
    user = browser.sign_up()
    secrets = [PASSWORD, NEW_PASSWORD, RESET_PASSWORD, browser.csrf, *browser.cookies.values()]
    names = [user["email"], "Siam", "Renamed Again", new_email("moved")]
    browser.patch(f"/users/{user['id']}", {"name": names[2], "email": names[3]})
    browser.post("/auth/refresh-token")
    browser.post("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
    secrets += browser.cookies.values()
    browser.post("/auth/forgot-password", {"email": names[3]})
    secrets.append(token := browser.server.reset_token_mailed_to(names[3]))
    browser.post("/auth/reset-password", {"token": token, "newPassword": RESET_PASSWORD})
    browser.login(names[3], "Wrong-password1")
    rows = sql.execute("SELECT * FROM audit_logs WHERE entity_id = %s", [user["id"]]).fetchall()
    assert len(rows) == 7
    assert not [secret for secret in [*secrets, *names] if str(secret) in repr(rows)]
