"""Seeing one's sessions and ending them: `/auth/sessions`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.kit.answers import CLEARED_COOKIE, claims_of, cookies_set, succeeded
from tests.kit.browser import Browser, bad_fields, refused
from tests.kit.forging import refresh_with
from tests.kit.injecting import refusing
from tests.kit.racing import crowd, held_until_blocked, together, twins
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid token")
INVALID_REFRESH = (401, "INVALID_TOKEN", "Invalid refresh token")
NOT_FOUND = (404, "SESSION_NOT_FOUND", "Session not found")
UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.4 Mobile/15E148 Safari/604.1"
)
LOCK_SESSION = "SELECT FROM sessions WHERE user_id = %s FOR UPDATE"


def session_of(browser: Browser) -> str:
    """The id of the session that a browser is in."""
    return str(claims_of(browser.cookies["accessToken"])["sid"])


def listed(browser: Browser) -> list[dict[str, Any]]:
    """The sessions that a browser is shown."""
    body = browser.get("/auth/sessions").json()
    assert (body["success"], body["message"]) == (True, "Success")
    assert body["meta"] == {"limit": 100, "nextCursor": None}
    sessions: list[dict[str, Any]] = body["data"]
    return sessions


@pytest.fixture
def devices(open_browser: Callable[..., Browser]) -> list[Browser]:
    """Three browsers of one user, signed in one after the other."""
    browsers = [open_browser(headers={"User-Agent": agent}) for agent in (FIREFOX, SAFARI, "no browser")]
    user = browsers[0].sign_up()
    for other in browsers[1:]:
        assert other.login(user["email"]).status_code == 200
    return browsers


def user_of(browser: Browser) -> int:
    """The id of whoever is signed in there."""
    return int(claims_of(browser.cookies["accessToken"])["id"])


def test_shows_every_device(devices: list[Browser], sql: Sql) -> None:
    """Every live session, its place and program, and which is this."""
    stored = {str(row["id"]): row for row in live_sessions(sql, user_of(devices[0]))}
    shown = {session["id"]: session for session in listed(devices[1])}
    assert shown.keys() == stored.keys() == {session_of(each) for each in devices}
    for browser, agent, device in (
        (devices[0], FIREFOX, "Firefox on Ubuntu"),
        (devices[1], SAFARI, "Mobile Safari on iOS"),
        (devices[2], "no browser", None),
    ):
        session = shown[session_of(browser)]
        assert session.keys() == {"id", "createdAt", "lastUsedAt", "ip", "userAgent", "device", "transport", "current"}
        assert (session["ip"], session["userAgent"], session["device"]) == ("127.0.0.1", agent, device)
        assert session["current"] == (browser is devices[1])
        row = stored[session["id"]]
        assert datetime.fromisoformat(session["createdAt"]) == row["created_at"]
        assert datetime.fromisoformat(session["lastUsedAt"]) == row["last_used_at"]


def test_newest_use_first(devices: list[Browser]) -> None:
    """A refresh is a use, and puts its session on top."""
    first, second, third = map(session_of, devices)
    assert [session["id"] for session in listed(devices[0])] == [third, second, first]
    before = {session["id"]: session["lastUsedAt"] for session in listed(devices[0])}
    assert devices[1].post("/auth/refresh-token").status_code == 200
    after = listed(devices[0])
    assert [session["id"] for session in after] == [second, third, first]
    assert {session["id"] for session in after if session["lastUsedAt"] != before[session["id"]]} == {second}


def test_shows_no_secret(devices: list[Browser], sql: Sql) -> None:
    """Neither they nor their hashes are in the answer."""
    body = devices[0].get("/auth/sessions").text
    hashes = [row["token_hash"].hex() for row in live_sessions(sql, user_of(devices[0]))]
    tokens = [each.cookies[name] for each in devices for name in ("accessToken", "refreshToken")]
    assert not [secret for secret in [*hashes, *tokens] if secret in body]


def test_only_ones_own_and_only_live(devices: list[Browser], open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Ended, or past its cap."""
    stranger = open_browser()
    stranger.sign_up()
    assert [session["id"] for session in listed(stranger)] == [session_of(stranger)]
    assert devices[2].post("/auth/logout").status_code == 200
    sql.execute("UPDATE sessions SET expires_at = now() WHERE id = %s", [session_of(devices[1])])
    assert [session["id"] for session in listed(devices[0])] == [session_of(devices[0])]


def test_ends_another_device(devices: list[Browser], sql: Sql) -> None:
    """It is out at once, access and refresh, and nobody else is; one row says who did it."""
    here, lost, third = devices
    ended = session_of(lost)
    response = here.delete(f"/auth/sessions/{ended}")
    assert succeeded(response) == (200, "Session ended", None)
    assert here.set_cookies == []
    assert refused(lost.get("/auth/me")) == INVALID
    assert refused(lost.post("/auth/refresh-token")) == INVALID_REFRESH
    assert lost.set_cookies == []
    assert [each.get("/auth/me").status_code for each in (here, third)] == [200, 200]
    user_id = user_of(here)
    assert endings(sql, user_id) == [None, "revoked", None]
    (row,) = audit_rows(sql, response)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("SESSION_REVOKED", user_id, user_id)
    assert row["metadata"] == {
        "ip": "127.0.0.1",
        "userAgent": FIREFOX,
        "requestId": response.headers["x-request-id"],
        "sessionId": session_of(here),
        "revoked": [ended],
    }


def test_ending_the_current_one_signs_out(devices: list[Browser], sql: Sql) -> None:
    """They are cleared, as by a logout."""
    here = devices[0]
    user_id = user_of(here)
    kept = dict(here.cookies)
    response = here.delete(f"/auth/sessions/{session_of(here)}")
    assert succeeded(response) == (200, "Session ended", None)
    assert cookies_set(here) == {"accessToken": CLEARED_COOKIE, "refreshToken": CLEARED_COOKIE}
    assert here.cookies.keys() == {"_csrf", "knownDevice"}
    assert refused(here.get("/auth/me", cookies=kept)) == INVALID
    assert refused(refresh_with(here, kept["refreshToken"])) == INVALID_REFRESH
    assert audited(sql, response) == [("SESSION_REVOKED", user_id, user_id)]
    assert len(live_sessions(sql, user_id)) == 2


def test_ends_all_others(devices: list[Browser], sql: Sql) -> None:
    """One call, one row that names them all, and the caller stays in."""
    here, *others = devices
    user_id = user_of(here)
    response = here.delete("/auth/sessions")
    assert succeeded(response) == (200, "Other sessions ended", {"ended": 2})
    assert here.set_cookies == []
    assert here.get("/auth/me").status_code == here.post("/auth/refresh-token").status_code == 200
    for other in others:
        assert refused(other.get("/auth/me")) == INVALID
        assert refused(other.post("/auth/refresh-token")) == INVALID_REFRESH
    (row,) = audit_rows(sql, response)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("SESSION_REVOKED", user_id, user_id)
    assert sorted(row["metadata"]["revoked"]) == sorted(map(session_of, others))
    again = here.delete("/auth/sessions")
    assert succeeded(again) == (200, "Other sessions ended", {"ended": 0})
    assert audited(sql, again) == [], "nothing happened, nothing to record"


def test_what_is_not_a_live_session_of_ones_own(
    devices: list[Browser], open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """Another's, an ended and an unknown one are one answer,
    and nothing happens."""
    here, gone, past = devices
    stranger = open_browser()
    other = stranger.sign_up()
    gone_id, past_id = session_of(gone), session_of(past)
    assert gone.post("/auth/logout").status_code == 200
    sql.execute("UPDATE sessions SET expires_at = now() WHERE id = %s", [past_id])
    before = everything_of(sql, user_of(here), other["id"])
    for id in (uuid4(), UUID(int=0), session_of(stranger), gone_id, past_id):
        response = here.delete(f"/auth/sessions/{id}")
        assert refused(response) == NOT_FOUND
        assert here.set_cookies == []
        assert audit_rows(sql, response) == []
    for id in ("1", "x", "%20", session_of(here)[:-1], session_of(here) + "0", "{" + session_of(here) + "}"):
        assert bad_fields(here.delete(f"/auth/sessions/{id}")) == {"sessionId"}
    assert everything_of(sql, user_of(here), other["id"]) == before
    assert stranger.get("/auth/me").status_code == 200


def test_case_of_an_id_does_not_matter(devices: list[Browser]) -> None:
    """RFC 9562 section 4 has them mean the same."""
    assert devices[0].delete(f"/auth/sessions/{session_of(devices[1]).upper()}").status_code == 200


def test_needs_a_live_session_and_csrf(devices: list[Browser], sql: Sql) -> None:
    """Nobody lists or ends anything."""
    here, gone, _ = devices
    target = session_of(here)
    assert gone.post("/auth/logout", cookies=dict(gone.cookies)).status_code == 200
    before = everything_of(sql, user_of(here))
    kept = {"_csrf": gone.cookies["_csrf"], "accessToken": here.cookies["accessToken"]}
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", f"/{target}")):
        response = gone.request(method, f"/auth/sessions{path}", cookies={"_csrf": kept["_csrf"]})
        assert refused(response) == (401, "UNAUTHORIZED", "Unauthorized")
        if method == "DELETE":
            unguarded = gone.request(method, f"/auth/sessions{path}", cookies=kept, with_csrf=False)
            assert refused(unguarded) == (403, "EBADCSRFTOKEN", "invalid csrf token")
    assert everything_of(sql, user_of(here)) == before


def test_an_audit_row_that_is_refused_does_not_keep_a_thief_in(devices: list[Browser], sql: Sql) -> None:
    """The session ends, on this instance too."""
    here, lost, third = devices
    user_id = user_of(here)
    with refusing(sql, "INSERT", "audit_logs", f"NEW.entity_id = {user_id}", "42501"):
        response = here.delete(f"/auth/sessions/{session_of(lost)}")
    assert response.status_code == 200
    assert audit_rows(sql, response) == []
    assert refused(lost.get("/auth/me")) == INVALID
    assert third.get("/auth/me").status_code == 200


@pytest.mark.parametrize("state", ["40001", "57P01"])
def test_what_is_rolled_back_has_ended_nothing(devices: list[Browser], sql: Sql, state: str) -> None:
    """503, and no instance takes the session for ended."""
    here, other, _ = devices
    with refusing(sql, "INSERT", "audit_logs", f"NEW.entity_id = {user_of(here)}", state):
        assert refused(here.delete(f"/auth/sessions/{session_of(other)}")) == UNAVAILABLE
        assert refused(here.delete("/auth/sessions")) == UNAVAILABLE
    assert [each.get("/auth/me").status_code for each in devices] == [200, 200, 200]
    assert other.post("/auth/refresh-token").status_code == 200


def test_one_session_ended_by_many_at_once(
    devices: list[Browser], open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """Of many that end one session at the same moment one has, the others find none."""
    here, lost, _ = devices
    path = f"/auth/sessions/{session_of(lost)}"
    copies = twins(here, 8, open_browser)
    answers = together([lambda each=each: each.delete(path) for each in copies])
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7
    rows = [row for answer in answers for row in audit_rows(sql, answer)]
    assert len(rows) == 1
    assert refused(lost.get("/auth/me")) == INVALID


def deadlocks(sql: Sql) -> int:
    """How many deadlocks this database has seen; every backend reports its own when its transaction is over."""
    row = sql.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row["deadlocks"])


def test_revoking_against_logout_does_not_deadlock(
    devices: list[Browser], open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """The logout has the session and wants to write its row, which refers to the
    user; the other has the user and wants the session."""
    here, _, third = devices
    user_id = user_of(here)
    before = deadlocks(sql)
    (copy,) = twins(third, 1, open_browser)
    calls = [lambda: copy.post("/auth/logout"), lambda: here.delete("/auth/sessions")]
    with held_until_blocked(here.server.dsn, 2, LOCK_SESSION, user_id):
        answers = together(calls)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert max(answer.elapsed.total_seconds() for answer in answers) < 0.9, "deadlock_timeout is 1 s"
    assert deadlocks(sql) == before
    assert len(live_sessions(sql, user_id)) == 1


def test_ending_against_refresh(devices: list[Browser], open_browser: Callable[..., Browser], sql: Sql) -> None:
    """However a refresh falls in with it, what it handed out is dead, and it is no reuse."""
    here, lost, _ = devices
    for _ in range(8):
        (copy,) = twins(lost, 1, open_browser)
        path = f"/auth/sessions/{session_of(lost)}"
        ended, answer = together([lambda: here.delete(path), lambda: copy.post("/auth/refresh-token")])  # noqa: B023
        assert ended.status_code == 200
        if answer.status_code != 200:
            assert refused(answer) == INVALID_REFRESH
        assert refused(copy.get("/auth/me")) == INVALID
        assert refused(refresh_with(copy, copy.cookies["refreshToken"])) == INVALID_REFRESH
        assert lost.login(here.get("/auth/me").json()["data"]["email"]).status_code == 200
    assert "reuse" not in endings(sql, user_of(here))


def test_all_refresh_while_all_but_one_are_ended(devices: list[Browser], sql: Sql) -> None:
    """It may refresh at the very moment in which it ends all others."""
    here, *others = devices
    answers = together(
        [
            lambda: here.delete("/auth/sessions"),
            *(lambda each=each: each.post("/auth/refresh-token") for each in others),
        ]
    )
    assert answers[0].status_code == 200
    assert [refused(each.get("/auth/me")) for each in others] == [INVALID] * 2
    assert here.post("/auth/refresh-token").status_code == 200
    assert endings(sql, user_of(here)) == [None, "revoked", "revoked"]


def test_an_exotic_user_agent_is_shown_as_it_came(open_browser: Callable[..., Browser]) -> None:
    """Cleaned and cut when stored, nothing guessed of it."""
    browser = open_browser(headers={"User-Agent": "<script>alert(1)</script> " + "x" * 600})
    browser.sign_up()
    (session,) = listed(browser)
    assert session["userAgent"].startswith("<script>alert(1)</script> xxx")
    assert len(session["userAgent"]) == 512
    assert session["device"] is None


def test_a_crowd_of_logouts_everywhere(devices: list[Browser], sql: Sql) -> None:
    """All at once, and no two of them are undone or stuck."""
    for each in devices:
        each.fetch_csrf()
    answers = together([lambda each=each: each.delete("/auth/sessions") for each in devices])
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert any(answer.status_code == 200 for answer in answers)
    assert len(live_sessions(sql, user_of(devices[0]))) <= 1
    assert crowd(devices[0], "/auth/logout", [None] * 3)[0].status_code == 200


def test_what_cannot_be_used_is_not_shown(devices: list[Browser], sql: Sql) -> None:
    """A device whose refresh token has expired is signed out, though its session's cap is far away. One of
    node-api-postgres, whose token lives longer, is not."""
    here, there, elsewhere = devices
    long_ago = "UPDATE sessions SET token_expires_at = now() WHERE id = %s"
    for device in (there, elsewhere):
        sql.execute(long_ago, [session_of(device)])
    sql.execute("UPDATE sessions SET original_token_hash = token_hash WHERE id = %s", [session_of(elsewhere)])
    assert {session["id"] for session in listed(here)} == {session_of(here), session_of(elsewhere)}
