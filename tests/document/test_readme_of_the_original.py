"""The curl examples of node-api-postgres's README, run with the real curl: a client written for it works unchanged."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.browser import new_email
from tests.kit.server import Server
from tests.kit.stored import Sql, endings, users_with

pytestmark = pytest.mark.smoke


class Curl:
    """curl with the README's `-b cookies.txt -c cookies.txt`."""

    def __init__(self, program: str, url: str, jar: Path) -> None:
        self._program = program
        self._url = url
        self._jar = str(jar)

    def __call__(self, path: str, *arguments: str) -> tuple[int, Any]:
        """Runs one example; status and body."""
        done = subprocess.run(
            [self._program, "--silent", "--show-error", "--write-out", "\n%{http_code}"]
            + [*arguments, "-b", self._jar, "-c", self._jar, self._url + path],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    def cookies(self) -> dict[str, str]:
        """What is in the jar: seven columns a line, `#HttpOnly_` before those of httpOnly cookies."""
        lines = [line.split("\t") for line in Path(self._jar).read_text().splitlines()]
        return {columns[5]: columns[6] for columns in lines if len(columns) == 7}


@pytest.fixture
def curl(require: Callable[[str], str], server: Server, tmp_path: Path) -> Curl:
    """curl with an empty jar."""
    return Curl(require("curl"), server.url, tmp_path / "cookies.txt")


def test_examples_in_their_order(curl: Curl, sql: Sql) -> None:
    """Token, register, login, refresh, logout, list: one CSRF token for all, and the jar as a browser's."""
    email = new_email("siam")
    status, body = curl("/auth/csrf-token")
    assert (status, list(body)) == (200, ["csrfToken"])
    csrf = ("-H", f"X-CSRF-Token: {body['csrfToken']}")
    json_body = ("-X", "POST", "-H", "Content-Type: application/json", *csrf, "-d")

    account = {"name": "Siam", "email": email, "password": "Secret123!"}
    status, body = curl("/auth/register", *json_body, json.dumps(account))
    (user_id,) = users_with(sql, email)
    user = {"id": user_id, "name": "Siam", "email": email}
    assert (status, body) == (201, {"success": True, "message": "User registered", "data": {"user": user}})
    assert curl.cookies().keys() == {"_csrf"}

    credentials = json.dumps({"email": email, "password": "Secret123!"})
    status, body = curl("/auth/login", *json_body, credentials)
    assert (status, body) == (200, {"success": True, "message": "Login successful", "data": {"user": user}})
    first = curl.cookies()
    assert first.keys() == {"_csrf", "accessToken", "refreshToken", "knownDevice"}

    status, body = curl("/auth/refresh-token", "-X", "POST", *csrf)
    assert (status, body) == (200, {"success": True, "message": "Token refreshed", "data": None})
    second = curl.cookies()
    assert not [name for name in ("accessToken", "refreshToken") if first[name] == second[name]]
    assert second["_csrf"] == first["_csrf"]

    status, body = curl("/users?page=1&limit=10")
    assert (status, body["message"], body["data"][0]) == (200, "Success", user)
    assert (body["meta"]["page"], body["meta"]["limit"]) == (1, 10)
    assert body["meta"]["total"] >= len(body["data"]) >= 1

    status, body = curl("/auth/logout", "-X", "POST", *csrf)
    assert (status, body) == (200, {"success": True, "message": "Logged out successfully", "data": None})
    assert "refreshToken" not in curl.cookies()
    assert endings(sql, user_id) == ["logout"]

    # Of two cookies cleared by one answer, curl 7.88 forgets only one: with others no cookie is sent here.
    status, body = curl("/users?page=1&limit=10")
    assert (status, body["success"], body["code"]) in {(401, False, "UNAUTHORIZED"), (401, False, "INVALID_TOKEN")}


def test_error_response_as_printed(curl: Curl) -> None:
    """The README shows this very body for a failed login."""
    _, body = curl("/auth/csrf-token")
    headers = ("-H", "Content-Type: application/json", "-H", f"csrf-token: {body['csrfToken']}")
    wrong = json.dumps({"email": new_email(), "password": "Secret123!"})
    assert curl("/auth/login", "-X", "POST", *headers, "-d", wrong) == (
        401,
        {"success": False, "message": "Invalid credentials", "code": "UNAUTHORIZED"},
    )
    without = curl("/auth/login", "-X", "POST", "-H", "Content-Type: application/json", "-d", wrong)
    assert (without[0], without[1]["code"]) == (403, "EBADCSRFTOKEN")
