"""REFRESH_LEEWAY_SECONDS: within it the token that was just replaced gets the same successor again."""

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from latchkey.sessions.claims import TokenKind
from latchkey.sessions.tokens import token_hash
from tests.kit.answers import ACCESS_COOKIE, REFRESH_COOKIE, claims_of, cookies_set
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.forging import genuine_refresh, refresh_with, unknown_session
from tests.kit.injecting import refusing
from tests.kit.original_tokens import adopt, original_token
from tests.kit.racing import crowd, held_until_blocked, together, twins
from tests.kit.server import Server, start_server
from tests.kit.signing_keys import tokens_of
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
LEEWAY = 30
CROWD = 50
LOCK_SESSION = "SELECT FROM sessions WHERE user_id = %s FOR UPDATE"
END_SESSION = "UPDATE sessions SET ended_at = now(), ended_by = 'logout' WHERE user_id = %s"
TOKENS = ("accessToken", "refreshToken")


@pytest.fixture(scope="module")
def lenient(session_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a leeway that no test outlasts, on the shared database; time passes by SQL."""
    running = start_server(session_database, tmp_path_factory.mktemp("lenient"), REFRESH_LEEWAY_SECONDS=str(LEEWAY))
    yield running
    assert running.stop() == 0, running.printed()


@pytest.fixture
def browser(lenient: Server, open_browser: Callable[..., Browser]) -> Browser:
    """A browser on it."""
    return open_browser(lenient)


def pass_time(sql: Sql, user_id: int, seconds: float) -> None:
    """Makes the last rotation of a user's sessions so much older."""
    sql.execute(
        "UPDATE sessions SET last_used_at = last_used_at - make_interval(secs => %s) WHERE user_id = %s",
        [seconds, user_id],
    )


def rotated(browser: Browser) -> tuple[str, dict[str, str]]:
    """Refreshes: the token that was spent, and the pair that replaced it."""
    spent = browser.cookies["refreshToken"]
    assert browser.post("/auth/refresh-token").status_code == 200
    return spent, pair_of(browser)


def pair_of(browser: Browser) -> dict[str, str]:
    """Both tokens in a browser's jar."""
    return {name: browser.cookies[name] for name in TOKENS}


def replays(sql: Sql, user_id: int) -> int:
    """How many replays of that user's tokens are in the audit log."""
    return sql.execute("SELECT FROM audit_logs WHERE entity_id = %s AND action = 'TOKEN_REPLAYED'", [user_id]).rowcount


def test_a_client_that_lost_the_answer_recovers(browser: Browser, sql: Sql) -> None:
    """The answer was lost, the old token gets the very same pair, and the session goes on;
    each replay is one row that says from where."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    for _ in range(3):
        response = refresh_with(browser, spent)
        assert response.json() == {"success": True, "message": "Token refreshed", "data": None}
        assert cookies_set(browser) == {"accessToken": ACCESS_COOKIE, "refreshToken": REFRESH_COOKIE}
        assert pair_of(browser) == successor, "byte for byte"
        (row,) = audit_rows(sql, response)
        assert (row["action"], row["actor_id"], row["entity_id"]) == ("TOKEN_REPLAYED", user["id"], user["id"])
        assert row["metadata"] == {
            "ip": "127.0.0.1",
            "userAgent": response.request.headers["user-agent"],
            "requestId": response.headers["x-request-id"],
            "sessionId": claims_of(spent)["sid"],
        }
    assert browser.get("/auth/me").json()["data"] == user
    rotated(browser)
    assert endings(sql, user["id"]) == [None]


def test_the_same_pair_however_much_later(browser: Browser, sql: Sql) -> None:
    """What was made 20 seconds ago is made again as it was then, and lives no
    longer for it."""
    user = browser.sign_up()
    parent = browser.cookies["refreshToken"]
    tokens = tokens_of(browser.server, age=20)
    made = tokens.successor(tokens.read(TokenKind.REFRESH, parent))
    sql.execute(
        "UPDATE sessions SET token_hash = %s, parent_hash = token_hash, last_used_at = now() - interval '20 s',"
        " token_issued_at = to_timestamp(%s), token_expires_at = to_timestamp(%s) WHERE user_id = %s",
        [token_hash(made.token), made.issued_at, made.expires_at, user["id"]],
    )
    assert refresh_with(browser, parent).status_code == 200
    pair = pair_of(browser)
    assert pair["refreshToken"] == made.token
    assert claims_of(made.token)["exp"] == made.issued_at + 86_400
    assert claims_of(pair["accessToken"])["iat"] == made.issued_at
    assert browser.get("/auth/me").status_code == 200


def test_nothing_raw_is_stored(browser: Browser, sql: Sql) -> None:
    """Neither a token nor its id is anywhere."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    refresh_with(browser, spent)
    stored = sql.execute(
        "SELECT (SELECT string_agg(s::text, ' ') FROM sessions s WHERE user_id = %(user)s)"
        " || (SELECT string_agg(a::text, ' ') FROM audit_logs a WHERE entity_id = %(user)s) AS text",
        {"user": user["id"]},
    ).fetchone()
    assert stored is not None
    for token in (spent, *successor.values()):
        for secret in (token, token.rpartition(".")[2], claims_of(token)["jti"], token.encode().hex()):
            assert secret not in stored["text"]


def test_after_the_leeway_it_is_reuse(browser: Browser, sql: Sql) -> None:
    """A second before the end it is forgiven, after it everything ends."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    pass_time(sql, user["id"], LEEWAY - 5)
    assert refresh_with(browser, spent).status_code == 200
    pass_time(sql, user["id"], 6)
    response = refresh_with(browser, spent)
    assert refused(response) == REUSED
    assert browser.set_cookies == []
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user["id"], user["id"])]
    assert endings(sql, user["id"]) == ["reuse"]
    assert refused(refresh_with(browser, successor["refreshToken"])) == INVALID


def test_a_replay_does_not_renew_the_leeway(browser: Browser, sql: Sql) -> None:
    """Who replays again and again gets no more time than the first one."""
    user = browser.sign_up()
    spent, _ = rotated(browser)
    for _ in range(3):
        pass_time(sql, user["id"], LEEWAY / 4)
        assert refresh_with(browser, spent).status_code == 200
    pass_time(sql, user["id"], LEEWAY / 4)
    assert refused(refresh_with(browser, spent)) == REUSED


def test_an_older_ancestor_is_reuse_at_once(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Only the direct parent is forgiven, its parent ends every session, however little time
    has passed."""
    other = open_browser(browser.server)
    user = browser.sign_up()
    other.login(user["email"])
    first, _ = rotated(browser)
    second, successor = rotated(browser)
    assert refresh_with(browser, second).status_code == 200
    assert pair_of(browser) == successor
    response = refresh_with(browser, first)
    assert refused(response) == REUSED
    assert browser.set_cookies == []
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user["id"], user["id"])]
    assert endings(sql, user["id"]) == ["reuse", "reuse"]


def test_the_successor_goes_on_while_the_parent_is_replayed(browser: Browser, sql: Sql) -> None:
    """One goes on with the successor, the other comes late with the parent's parent, and loses."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    assert refresh_with(browser, spent).status_code == 200
    assert refresh_with(browser, successor["refreshToken"]).status_code == 200
    assert refused(refresh_with(browser, spent)) == REUSED
    assert endings(sql, user["id"]) == ["reuse"]


def test_a_token_of_a_session_that_never_was_is_reuse(browser: Browser, sql: Sql) -> None:
    """It forgives a parent that is stored, and nothing else that verifies."""
    user = browser.sign_up()
    rotated(browser)
    forged = unknown_session(genuine_refresh(browser))
    assert refused(refresh_with(browser, forged)) == REUSED
    assert endings(sql, user["id"]) == ["reuse"]


@pytest.mark.parametrize("ending", ["logout", "change", "delete", "revoke", "cap"])
def test_the_replay_checks_what_a_refresh_checks(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql, ending: str
) -> None:
    """An ended session's parent token is as dead as its successor, and no reuse."""
    other = open_browser(browser.server)
    user = browser.sign_up()
    other.login(user["email"])
    spent, successor = rotated(browser)
    session_id = claims_of(spent)["sid"]
    do: dict[str, Callable[[], object]] = {
        "logout": lambda: browser.post("/auth/logout"),
        "change": lambda: other.post(
            "/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
        ),
        "delete": lambda: other.delete(f"/users/{user['id']}"),
        "revoke": lambda: other.delete(f"/auth/sessions/{session_id}"),
        "cap": lambda: sql.execute("UPDATE sessions SET expires_at = now() WHERE id = %s", [session_id]),
    }
    do[ending]()
    before = everything_of(sql, user["id"])
    for token in (spent, successor["refreshToken"]):
        response = refresh_with(browser, token)
        assert refused(response) == INVALID
        assert browser.set_cookies == []
        assert audit_rows(sql, response) == []
    assert everything_of(sql, user["id"]) == before


def check_all_usable(browser: Browser, answers: list[httpx.Response], sql: Sql, user_id: int) -> None:
    """One session, one rotation, and every answer the same pair, which works; all but one are replays."""
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    (pair,) = {tuple(answer.cookies[name] for name in TOKENS) for answer in answers}
    rows = [row["action"] for answer in answers for row in audit_rows(sql, answer)]
    assert rows == ["TOKEN_REPLAYED"] * (len(answers) - 1)
    assert replays(sql, user_id) == len(answers) - 1
    assert endings(sql, user_id) == [None]
    assert browser.get("/auth/me", cookies={"accessToken": pair[0]}).status_code == 200
    assert refresh_with(browser, pair[1]).status_code == 200


def test_fifty_at_once_with_one_token(browser: Browser, sql: Sql) -> None:
    """One session, one rotation, 50 usable answers, all the same."""
    user = browser.sign_up()
    check_all_usable(browser, crowd(browser, "/auth/refresh-token", [None] * CROWD), sql, user["id"])


def test_tabs_that_race_again_and_again(browser: Browser, open_browser: Callable[..., Browser], sql: Sql) -> None:
    """Both go on with the same pair, round after round."""
    user = browser.sign_up()
    pair = twins(browser, 2, open_browser)
    for _ in range(20):
        answers = together([lambda each=each: each.post("/auth/refresh-token") for each in pair])
        assert [answer.status_code for answer in answers] == [200, 200]
        assert pair_of(pair[0]) == pair_of(pair[1])
    assert endings(sql, user["id"]) == [None]


def test_a_race_in_the_last_day_of_a_session(browser: Browser, sql: Sql) -> None:
    """Everybody gets the same capped pair."""
    user = browser.sign_up()
    sql.execute("UPDATE sessions SET expires_at = now() + interval '200.5 s' WHERE user_id = %s", [user["id"]])
    with held_until_blocked(browser.server.dsn, 2, LOCK_SESSION, user["id"]):
        answers = crowd(browser, "/auth/refresh-token", [None] * 2)
    (session,) = live_sessions(sql, user["id"])
    cap = int(session["expires_at"].timestamp())
    assert {claims_of(answer.cookies[name])["exp"] for answer in answers for name in TOKENS} == {cap}
    check_all_usable(browser, answers, sql, user["id"])
    user = browser.sign_up()
    sql.execute("UPDATE sessions SET expires_at = now() + interval '23 hours' WHERE user_id = %s", [user["id"]])
    check_all_usable(browser, crowd(browser, "/auth/refresh-token", [None] * 20), sql, user["id"])


def test_the_session_ends_between_look_and_replay(browser: Browser, sql: Sql) -> None:
    """The replay was found good, waited, and the session has ended meanwhile."""
    user = browser.sign_up()
    spent, _ = rotated(browser)
    with held_until_blocked(browser.server.dsn, 1, LOCK_SESSION, user["id"], then=END_SESSION):
        response = refresh_with(browser, spent)
    assert refused(response) == INVALID
    assert browser.set_cookies == []
    assert audit_rows(sql, response) == []
    assert endings(sql, user["id"]) == ["logout"]


def test_an_original_token_is_honoured_once_all_the_same(browser: Browser, sql: Sql) -> None:
    """node-api-postgres's token names no session, so its replay is refused, ends nothing, and
    the successor's own parent is forgiven like any other."""
    user = browser.register()
    browser.fetch_csrf()
    token = original_token(user["id"])
    adopt(sql, user["id"], token)
    assert refresh_with(browser, token).status_code == 200
    successor = pair_of(browser)
    response = refresh_with(browser, token)
    assert refused(response) == INVALID
    assert browser.set_cookies == []
    assert audit_rows(sql, response) == []
    spent, second = rotated(browser)
    assert spent == successor["refreshToken"]
    assert refresh_with(browser, spent).status_code == 200
    assert pair_of(browser) == second
    assert endings(sql, user["id"]) == [None]


def test_a_replay_whose_row_is_refused(browser: Browser, sql: Sql) -> None:
    """It gets its pair, and the record is in the log."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    with refusing(sql, "INSERT", "audit_logs", f"NEW.entity_id = {user['id']}", "42501"):
        response = refresh_with(browser, spent)
    assert response.status_code == 200
    assert pair_of(browser) == successor
    assert audit_rows(sql, response) == []
    (line,) = [
        line
        for line in browser.server.printed().splitlines()
        if "this line is the record" in line and response.headers["x-request-id"] in line
    ]
    assert "TOKEN_REPLAYED" in line


@pytest.mark.parametrize("state", ["57P01", "40001"])
def test_a_replay_that_fails_costs_nothing(browser: Browser, sql: Sql, state: str) -> None:
    """503 without a cookie, no alarm, and the next try works."""
    user = browser.sign_up()
    spent, successor = rotated(browser)
    with refusing(sql, "INSERT", "audit_logs", f"NEW.entity_id = {user['id']}", state):
        assert refused(refresh_with(browser, spent)) == UNAVAILABLE
        assert browser.set_cookies == []
    assert refresh_with(browser, spent).status_code == 200
    assert pair_of(browser) == successor
    assert endings(sql, user["id"]) == [None]


def test_audit_required_and_a_refused_row(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """No row, no replay; 503 without a cookie, and the session stays."""
    server = start(REFRESH_LEEWAY_SECONDS=str(LEEWAY), AUDIT_REQUIRED="true")
    browser = open_browser(server)
    user = browser.sign_up()
    spent, successor = rotated(browser)
    with psycopg.connect(server.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        with refusing(sql, "INSERT", "audit_logs", "true", "42501"):
            assert refused(refresh_with(browser, spent)) == UNAVAILABLE
            assert browser.set_cookies == []
        assert endings(sql, user["id"]) == [None]
    assert refresh_with(browser, spent).status_code == 200
    assert pair_of(browser) == successor


def test_instances_agree(browser: Browser, start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """It mints the very same pair."""
    other = open_browser(start(dsn=browser.server.dsn, REFRESH_LEEWAY_SECONDS="60", TOKEN_ISSUER=browser.server.issuer))
    browser.sign_up()
    spent, successor = rotated(browser)
    other.fetch_csrf()
    assert refresh_with(other, spent).status_code == 200
    assert pair_of(other) == successor


def test_without_leeway_the_parent_is_reuse(server: Server, open_browser: Callable[..., Browser], sql: Sql) -> None:
    strict = open_browser(server)
    user = strict.sign_up()
    spent, _ = rotated(strict)
    pass_time(sql, user["id"], -60)
    assert refused(refresh_with(strict, spent)) == REUSED
    assert endings(sql, user["id"]) == ["reuse"]
    assert replays(sql, user["id"]) == 0
