"""SESSION_LIMIT: at most so many live sessions a user; the oldest gives way."""

from collections.abc import Callable

import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.racing import crowd, held_until_blocked
from tests.kit.server import Server
from tests.kit.stored import Sql, audited, endings, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid token")
INVALID_REFRESH = (401, "INVALID_TOKEN", "Invalid refresh token")
LIMIT = 2
LOCK_OLDEST = "SELECT FROM sessions WHERE id = %s FOR UPDATE"
LOG_OUT = "UPDATE sessions SET ended_at = now(), ended_by = 'logout' WHERE id = %s"


@pytest.fixture
def limited(start: Callable[..., Server]) -> Server:
    """A server that allows two sessions a user."""
    return start(SESSION_LIMIT=str(LIMIT))


def test_the_oldest_gives_way(limited: Server, open_browser: Callable[..., Browser], own_sql: Sql) -> None:
    """Never refused, the session that began first ends, however lately used."""
    browsers = [open_browser(limited) for _ in range(4)]
    user = browsers[0].sign_up()
    assert browsers[1].login(user["email"]).status_code == 200
    assert browsers[0].post("/auth/refresh-token").status_code == 200
    response = browsers[2].login(user["email"])
    assert response.status_code == 200
    assert audited(own_sql, response) == [("LOGIN", user["id"], user["id"])], "one change, one row"
    assert [each.get("/auth/me").status_code for each in browsers[:3]] == [401, 200, 200]
    assert refused(browsers[0].post("/auth/refresh-token")) == INVALID_REFRESH
    assert browsers[3].login(user["email"]).status_code == 200
    assert endings(own_sql, user["id"]) == ["limit", "limit", None, None]
    stranger = open_browser(limited)
    stranger.sign_up()
    assert [each.get("/auth/me").status_code for each in (*browsers[2:], stranger)] == [200, 200, 200]


def test_what_has_ended_takes_no_room(limited: Server, open_browser: Callable[..., Browser], own_sql: Sql) -> None:
    """A login in place of the browser's own session, after a logout or past a cap ends none."""
    one, two = open_browser(limited), open_browser(limited)
    user = one.sign_up()
    assert two.login(user["email"]).status_code == 200
    for _ in range(3):
        assert two.login(user["email"]).status_code == 200
    assert two.post("/auth/logout").status_code == 200
    assert two.login(user["email"]).status_code == 200
    (past, _) = live_sessions(own_sql, user["id"])
    own_sql.execute("UPDATE sessions SET expires_at = now() WHERE id = %s", [past["id"]])
    third = open_browser(limited)
    assert third.login(user["email"]).status_code == 200
    assert two.get("/auth/me").status_code == 200
    assert "limit" not in endings(own_sql, user["id"])


def test_a_change_of_password_leaves_one(limited: Server, open_browser: Callable[..., Browser], own_sql: Sql) -> None:
    one, two = open_browser(limited), open_browser(limited)
    user = one.sign_up()
    assert two.login(user["email"]).status_code == 200
    body = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    assert one.post("/auth/change-password", body).status_code == 200
    assert one.get("/auth/me").status_code == 200
    assert refused(two.get("/auth/me")) == INVALID
    assert len(live_sessions(own_sql, user["id"])) == 1


def test_a_crowd_that_signs_in_at_once(limited: Server, open_browser: Callable[..., Browser], own_sql: Sql) -> None:
    """Never more than two
    live, everybody is answered, and nothing deadlocks."""
    browser = open_browser(limited)
    user = browser.register()
    bodies = [{"email": user["email"], "password": PASSWORD}] * 12
    rounds = [crowd(browser, "/auth/login", bodies) for _ in range(3)]
    assert [answer.status_code for answers in rounds for answer in answers] == [200] * 36
    assert len(live_sessions(own_sql, user["id"])) == LIMIT
    live = {str(session["id"]) for session in live_sessions(own_sql, user["id"])}
    for answer in rounds[-1]:
        mine = claims_of(answer.cookies["accessToken"])["sid"] in live
        assert browser.get("/auth/me", cookies=dict(answer.cookies)).status_code == (200 if mine else 401)
    row = own_sql.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    assert row is not None
    assert row["deadlocks"] == 0


def test_an_ending_at_the_same_moment_keeps_its_reason(
    limited: Server, open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """The oldest is logged out while a login makes room; it ended by logout, once."""
    one, two, three = (open_browser(limited) for _ in range(3))
    user = one.sign_up()
    assert two.login(user["email"]).status_code == 200
    three.fetch_csrf()
    oldest = claims_of(one.cookies["accessToken"])["sid"]
    with held_until_blocked(limited.dsn, 1, LOCK_OLDEST, oldest, then=LOG_OUT):
        assert three.login(user["email"]).status_code == 200
    assert endings(own_sql, user["id"]) == ["logout", None, None]


@pytest.mark.parametrize("limit", [None, "0", "1"])
def test_other_limits(start: Callable[..., Server], open_browser: Callable[..., Browser], limit: str | None) -> None:
    """The default leaves room for a person's devices, 0 is no limit, and with 1 a second login signs the first one out."""
    server = start(**({"SESSION_LIMIT": limit} if limit is not None else {}))
    browsers = [open_browser(server) for _ in range(6)]
    user = browsers[0].sign_up()
    for each in browsers[1:]:
        assert each.login(user["email"]).status_code == 200
    expected = [401] * 5 + [200] if limit == "1" else [200] * 6
    assert [each.get("/auth/me").status_code for each in browsers] == expected


def test_without_a_limit_nothing_ends(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql
) -> None:
    """0 is what an empty setting was in version 0.1. The default ends what is above 100."""
    server = start(SESSION_LIMIT="0")
    browser = open_browser(server)
    user = browser.sign_up()
    own_sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at)"
        " SELECT gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), now() + interval '1 day'"
        " FROM generate_series(1, 150)",
        [user["id"]],
    )
    assert open_browser(server).login(user["email"]).status_code == 200
    assert len(live_sessions(own_sql, user["id"])) == 152
    assert open_browser(start()).login(user["email"]).status_code == 200
    assert len(live_sessions(own_sql, user["id"])) == 100
