"""When PostgreSQL refuses the audit row: the change, or the record, whichever was asked for."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.injecting import refusing
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, everything_of, live_sessions, user_row, users_with

UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
NEW_PASSWORD = "Changed456!"
AGENT = "whose rows are refused"
WHEN = f"NEW.metadata->>'userAgent' = '{AGENT}'"
MESSAGE = "audit row refused by the database; this line is the record"
# Insufficient privilege (REVOKE INSERT), a broken rule, a full disk, a cancelled statement, a trigger of the operator's.
REFUSALS = ["42501", "23505", "23514", "53100", "57014", "P0001"]
# The connection is lost, or another transaction won: nobody may do the change again without its row.
NOT_REFUSALS = ["57P01", "40001"]


@pytest.fixture
def marked(open_browser: Callable[..., Browser]) -> Browser:
    """A browser whose audit rows the tests have refused, by its user agent."""
    return open_browser(headers={"User-Agent": AGENT})


def records(server: Server, response: httpx.Response) -> list[str]:
    """The ERROR lines of that request that stand for an audit row."""
    request_id = response.headers["x-request-id"]
    return [line for line in server.printed().splitlines() if MESSAGE in line and request_id in line]


def fields(line: str) -> dict[str, Any]:
    """The fields of a line of the development log."""
    found = re.findall(r" (\w+)=(\{.*\}|'[^']*'|\w+)", line.partition(MESSAGE)[2])
    return {name: ast.literal_eval(value) for name, value in found}


@pytest.mark.parametrize("state", REFUSALS)
def test_the_change_happens_and_the_log_has_the_record(marked: Browser, sql: Sql, state: str) -> None:
    """Signing in works while rows are refused, and nothing of the row is lost."""
    user = marked.register()
    with refusing(sql, "INSERT", "audit_logs", WHEN, state):
        response = marked.login(user["email"])
    assert response.status_code == 200
    assert audit_rows(sql, response) == []
    (session,) = live_sessions(sql, user["id"])
    (line,) = records(marked.server, response)
    assert " error: " in line
    told = fields(line)
    assert told.pop("cause").endswith("Error")
    assert told == {
        "action": "LOGIN",
        "actor_id": user["id"],
        "entity_type": "users",
        "entity_id": user["id"],
        "metadata": {
            "ip": "127.0.0.1",
            "userAgent": AGENT,
            "requestId": response.headers["x-request-id"],
            "sessionId": str(session["id"]),
            "transport": "cookie",
            "amr": ["pwd"],
        },
    }
    assert marked.get("/auth/me").status_code == 200


def test_every_kind_of_change_goes_on(marked: Browser, sql: Sql) -> None:
    """Each change is made exactly once, and is one line with no secret in it."""
    email, moved = new_email(), new_email()
    with refusing(sql, "INSERT", "audit_logs", WHEN, "42501"):
        answers = {"LOGIN_FAILED": marked.login(new_email("nobody"))}
        answers["CREATE_USER"] = marked.post("/auth/register", {"name": "Siam", "email": email, "password": PASSWORD})
        (user_id,) = users_with(sql, email)
        answers["LOGIN"] = marked.login(email)
        answers["UPDATE_USER"] = marked.patch(f"/users/{user_id}", {"email": moved})
        change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        answers["CHANGE_PASSWORD"] = marked.post("/auth/change-password", change)
        answers["FORGOT_PASSWORD"] = marked.post("/auth/forgot-password", {"email": moved})
        token = marked.server.reset_token_mailed_to(moved)
        reset = {"token": token, "newPassword": PASSWORD}
        answers["RESET_PASSWORD"] = marked.post("/auth/reset-password", reset)
        assert marked.login(moved).status_code == 200
        spent = marked.cookies["refreshToken"]
        assert marked.post("/auth/refresh-token").status_code == 200
        replay = marked.cookies | {"refreshToken": spent}
        answers["TOKEN_REUSE_DETECTED"] = marked.post("/auth/refresh-token", cookies=replay)
        assert marked.login(moved).status_code == 200
        answers["DELETE_USER"] = marked.delete(f"/users/{user_id}")
        answers["RESTORE_USER"] = marked.patch(f"/users/{user_id}/restore")
        assert marked.login(moved).status_code == 200
        answers["LOGOUT"] = marked.post("/auth/logout")
    refusals = {name for name, answer in answers.items() if answer.status_code >= 400}
    assert refusals == {"LOGIN_FAILED", "TOKEN_REUSE_DETECTED"}
    for action, answer in answers.items():
        (line,) = records(marked.server, answer)
        assert fields(line)["action"] == action
        assert not [secret for secret in (PASSWORD, NEW_PASSWORD, token, spent, email, moved) if secret in line]
    assert (user_row(sql, user_id)["email"], user_row(sql, user_id)["is_deleted"]) == (moved, False)
    assert live_sessions(sql, user_id) == []
    assert sql.execute("SELECT FROM audit_logs WHERE entity_id = %s", [user_id]).rowcount == 0


@pytest.mark.parametrize("state", NOT_REFUSALS)
def test_a_lost_connection_or_a_conflict_is_no_refusal(marked: Browser, sql: Sql, state: str) -> None:
    """Where the COMMIT may have happened, or will succeed again, the change is not made without a row."""
    user = marked.register()
    before = everything_of(sql, user["id"])
    with refusing(sql, "INSERT", "audit_logs", WHEN, state):
        response = marked.login(user["email"])
    assert refused(response) == UNAVAILABLE
    assert response.headers["retry-after"] == "2"
    assert marked.set_cookies == []
    assert records(marked.server, response) == []
    assert everything_of(sql, user["id"]) == before


@pytest.fixture
def strict(start: Callable[..., Server], database: str) -> Iterator[tuple[Server, Sql]]:
    """A server in production that must record everything, and a connection to its database."""
    server = start(AUDIT_REQUIRED="true", ENVIRONMENT="production")
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield server, connection


def test_with_audit_required_nothing_happens_instead(
    strict: tuple[Server, Sql], open_browser: Callable[..., Browser]
) -> None:
    """No row, no change, 503 without a cookie, and all is well again afterwards."""
    server, sql = strict
    browser, stranger = open_browser(server), open_browser(server)
    user = browser.sign_up()
    stranger.fetch_csrf()
    url, email = f"/users/{user['id']}", user["email"]
    before = everything_of(sql, user["id"])
    change = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    account = {"name": "Siam", "email": new_email(), "password": PASSWORD}
    with refusing(sql, "INSERT", "audit_logs", "true", "42501"):
        answers = [
            stranger.login(email),
            stranger.login(email, "Wrong-password1"),
            stranger.post("/auth/register", account),
            browser.patch(url, {"name": "Renamed"}),
            browser.post("/auth/change-password", change),
            browser.delete(url),
            browser.post("/auth/logout"),
        ]
    assert [refused(answer) for answer in answers] == [UNAVAILABLE] * len(answers)
    assert not [answer for answer in answers if "set-cookie" in answer.headers]
    assert everything_of(sql, user["id"]) == before
    assert users_with(sql, str(account["email"])) == []
    assert MESSAGE not in server.printed()
    assert stranger.post("/auth/register", account).status_code == 201
    assert browser.get("/auth/me").status_code == 200


def test_in_production_the_record_is_one_json_line(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    """The record is one line, valid JSON, level error, complete."""
    server = start(ENVIRONMENT="production")
    browser = open_browser(server)
    user = browser.register()
    with (
        psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as sql,
        refusing(sql, "INSERT", "audit_logs", "true", "42501"),
    ):
        response = browser.login(user["email"])
    assert response.status_code == 200
    (line,) = records(server, response)
    told = json.loads(line)
    assert (told["level"], told["event"], told["action"]) == ("error", MESSAGE, "LOGIN")
    assert (told["actor_id"], told["entity_type"], told["entity_id"]) == (user["id"], "users", user["id"])
    assert told["metadata"].keys() == {"ip", "userAgent", "requestId", "sessionId", "transport", "amr"}
    assert told["timestamp"].endswith("Z")
