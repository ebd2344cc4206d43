"""ACCESS_TOKEN_SECONDS and REFRESH_TOKEN_HOURS: how long tokens live, and what follows them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from latchkey.sessions.tokens import Lifetimes, token_hash
from tests.kit.answers import ACCESS_COOKIE, REFRESH_COOKIE, claims_of, cookies_set
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.command_line import latchkey
from tests.kit.forging import refresh_with
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.signing_keys import mint, tokens_of
from tests.kit.stored import Sql, endings, live_sessions

INVALID_REFRESH = (401, "INVALID_TOKEN", "Invalid refresh token")
EXPIRED = (401, "TOKEN_EXPIRED", "Token expired")
HOUR, DAY = 3_600, 86_400
Start = Callable[..., Server]
Open = Callable[..., Browser]


@dataclass(frozen=True)
class Setting:
    """Both settings, and the Max-Age of the two cookies that follows."""

    access: int
    hours: int
    access_age: int
    refresh_age: int


SHORTEST = Setting(60, 1, 900, 7 * DAY)
LONGEST = Setting(3_600, 720, 3_600, 30 * DAY)


def lasting(*, access: int = 300, hours: int = 24) -> dict[str, str]:
    """Both settings."""
    return {"ACCESS_TOKEN_SECONDS": str(access), "REFRESH_TOKEN_HOURS": str(hours)}


def lives(token: str) -> int:
    """For how many seconds a token was made."""
    claims = claims_of(token)
    return int(claims["exp"] - claims["iat"])


def session_of(browser: Browser) -> UUID:
    """The id of the session that a browser is in."""
    return UUID(claims_of(browser.cookies["accessToken"])["sid"])


def pass_time(browser: Browser, sql: Sql, seconds: int, lifetimes: Lifetimes) -> None:
    """Makes the browser's session and its tokens so much older: as if it had been opened then, under those settings."""
    user_id, session_id = int(claims_of(browser.cookies["accessToken"])["id"]), session_of(browser)
    then = time.time() - seconds
    pair = mint(tokens_of(browser.server, age=seconds, lifetimes=lifetimes), user_id, session_id)
    sql.execute(
        "UPDATE sessions SET token_hash = %s, token_issued_at = to_timestamp(%s), token_expires_at = to_timestamp(%s),"
        " created_at = to_timestamp(%s), last_used_at = to_timestamp(%s) WHERE id = %s",
        [token_hash(pair.refresh.token), pair.refresh.issued_at, pair.refresh.expires_at, then, then, session_id],
    )
    browser.cookies |= {"accessToken": pair.access, "refreshToken": pair.refresh.token}


@pytest.mark.parametrize("setting", [SHORTEST, LONGEST], ids=["shortest", "longest"])
def test_tokens_and_cookies_follow_the_settings(
    start: Start, open_browser: Open, own_sql: Sql, setting: Setting
) -> None:
    server = start(SESSION_MAX_DAYS="365", **lasting(access=setting.access, hours=setting.hours))
    browser = open_browser(server)
    user = browser.sign_up()
    change = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    for act in (
        lambda: None,
        lambda: browser.post("/auth/refresh-token"),
        lambda: browser.post("/auth/change-password", change),
        lambda: browser.post("/auth/refresh-token"),
    ):
        act()
        set_by = cookies_set(browser)
        assert set_by["accessToken"] == ACCESS_COOKIE | {"max-age": str(setting.access_age)}
        assert set_by["refreshToken"] == REFRESH_COOKIE | {"max-age": str(setting.refresh_age)}
        tokens = browser.cookies["accessToken"], browser.cookies["refreshToken"]
        assert [lives(token) for token in tokens] == [setting.access, setting.hours * HOUR]
        (session,) = live_sessions(own_sql, user["id"])
        claims = claims_of(tokens[1])
        stored = session["token_issued_at"], session["token_expires_at"]
        assert [time.timestamp() for time in stored] == [claims["iat"], claims["exp"]]


def test_no_token_outlives_the_session(start: Start, open_browser: Open) -> None:
    browser = open_browser(start(SESSION_MAX_DAYS="1", **lasting(hours=72)))
    browser.sign_up()
    assert lives(browser.cookies["refreshToken"]) == pytest.approx(DAY, abs=1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ACCESS_TOKEN_SECONDS", "59", "greater than or equal to 60"),
        ("ACCESS_TOKEN_SECONDS", "3601", "less than or equal to 3600"),
        ("ACCESS_TOKEN_SECONDS", "5m", "a valid integer"),
        ("REFRESH_TOKEN_HOURS", "0", "greater than or equal to 1"),
        ("REFRESH_TOKEN_HOURS", "721", "less than or equal to 720"),
        ("REFRESH_TOKEN_HOURS", "1.5", "a valid integer"),
    ],
)
def test_other_values_are_refused_by_name(database: str, tmp_path: Path, name: str, value: str, said: str) -> None:
    result = latchkey("serve", directory=tmp_path, dsn=database, **{name: value})
    assert result.code == 1
    assert f"{name}: Input should be {said}" in result.err


def test_someone_who_comes_back_after_two_days(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """Signed in and listed while the refresh token lives, at a default as under a longer life."""
    lifetimes = Lifetimes(refresh_seconds=72 * HOUR)
    patient, strict = start(**lasting(hours=72)), start()
    for hours, signed_in in ((47, True), (71, True), (73, False)):
        browser, other = open_browser(patient), open_browser(strict)
        user = browser.sign_up()
        assert other.login(user["email"]).status_code == 200
        pass_time(browser, own_sql, hours * HOUR, lifetimes)
        assert refused(browser.get("/auth/me")) == EXPIRED
        listed = [session["id"] for session in other.get("/auth/sessions").json()["data"]]
        assert (str(session_of(browser)) in listed) == signed_in, hours
        answer = browser.post("/auth/refresh-token")
        if signed_in:
            assert answer.status_code == 200
            assert browser.get("/auth/me").status_code == 200
            assert lives(browser.cookies["refreshToken"]) == 72 * HOUR
        else:
            assert refused(answer) == INVALID_REFRESH
            assert endings(own_sql, user["id"]) == [None, None], "it is no reuse"


def test_a_shorter_life_ends_sooner(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """A session that is not refreshed for an hour is over, and takes no room of the limit."""
    server = start(SESSION_LIMIT="2", **lasting(hours=1))
    browsers = [open_browser(server) for _ in range(3)]
    user = browsers[0].sign_up()
    assert browsers[1].login(user["email"]).status_code == 200
    pass_time(browsers[0], own_sql, HOUR + 5, Lifetimes(refresh_seconds=HOUR))
    assert refused(browsers[0].post("/auth/refresh-token")) == INVALID_REFRESH
    assert browsers[2].login(user["email"]).status_code == 200
    assert endings(own_sql, user["id"]) == [None, None, None]
    assert len(browsers[1].get("/auth/sessions").json()["data"]) == 2


def test_sessions_opened_by_the_version_before(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """They have no stored expiry: in use for a day after their last use, whatever the setting is."""
    server = start(**lasting(hours=72))
    browser = open_browser(server)
    user = browser.sign_up()
    for hours in (23, 25):
        own_sql.execute(
            "INSERT INTO sessions (id, user_id, token_hash, expires_at, last_used_at) VALUES (gen_random_uuid(), %s,"
            " sha256(gen_random_uuid()::text::bytea), now() + interval '1 day', now() - make_interval(hours => %s))",
            [user["id"], hours],
        )
    assert len(browser.get("/auth/sessions").json()["data"]) == 2


@pytest.mark.parametrize(("before", "after"), [(LONGEST, SHORTEST), (SHORTEST, LONGEST)])
def test_the_settings_change_between_rotation_and_replay(
    start: Start, open_browser: Open, own_sql: Sql, before: Setting, after: Setting
) -> None:
    """The client that lost the answer gets the refresh token that the session has, and goes on. Its access token lives no
    longer than is allowed by then. It is no reuse."""

    def server_with(setting: Setting) -> Server:
        return start(
            SESSION_MAX_DAYS="365",
            REFRESH_LEEWAY_SECONDS="60",
            **ONE_INSTALLATION,
            **lasting(access=setting.access, hours=setting.hours),
        )

    browser = open_browser(server_with(before))
    user = browser.sign_up()
    spent = browser.cookies["refreshToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    successor = dict(browser.cookies)
    later = open_browser(server_with(after))
    later.fetch_csrf()
    assert refresh_with(later, spent).status_code == 200
    assert later.cookies["refreshToken"] == successor["refreshToken"]
    assert lives(later.cookies["accessToken"]) == after.access
    assert claims_of(later.cookies["accessToken"])["iat"] == claims_of(successor["accessToken"])["iat"]
    assert later.get("/auth/me").status_code == 200
    again = open_browser(server_with(before))
    again.fetch_csrf()
    assert refresh_with(again, spent).status_code == 200
    names = ("accessToken", "refreshToken")
    assert [again.cookies[name] for name in names] == [successor[name] for name in names], "byte for byte"
    assert later.post("/auth/refresh-token").status_code == 200
    assert lives(later.cookies["refreshToken"]) == after.hours * HOUR
    assert endings(own_sql, user["id"]) == [None]


def test_the_deleting_session_restores_while_its_access_token_lives(
    start: Start, open_browser: Open, own_sql: Sql
) -> None:
    lifetimes = Lifetimes(access_seconds=3_600)
    browser = open_browser(start(**lasting(access=3_600)))
    user = browser.sign_up()
    pass_time(browser, own_sql, 3_000, lifetimes)
    kept = dict(browser.cookies)
    assert browser.get("/auth/me").status_code == 200
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    assert browser.get("/auth/me", cookies=kept).status_code == 401
    old = tokens_of(browser.server, age=3_601, lifetimes=lifetimes)
    expired = kept | {"accessToken": mint(old, user["id"], session_of(browser)).access}
    path = f"/users/{user['id']}/restore"
    assert refused(browser.patch(path, cookies=expired)) == EXPIRED
    assert browser.patch(path, cookies=kept).status_code == 200
