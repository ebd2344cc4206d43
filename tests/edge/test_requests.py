"""Well-formed HTTP that means mischief: paths, methods, pipelines, and text that would be a header or a log line."""

import re
from typing import Any

import psycopg
import pytest

from tests.kit.browser import Browser, new_email, refused
from tests.kit.raw_http import RawConnection, RawResponse, request
from tests.kit.server import Server

NOT_FOUND = (404, "RESOURCE_NOT_FOUND")
Sql = psycopg.Connection[dict[str, Any]]


def _get(browser: Browser, path: str, *headers: str) -> RawResponse:
    """GET of a path to the byte, signed in where the browser is."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with RawConnection(browser.server) as connection:
        return connection.answer(request("GET", path, f"Cookie: {cookies}", *headers))


@pytest.mark.parametrize(
    "path",
    [
        "/users%2F{id}",
        "/users%2f{id}",
        "/users%5C{id}",
        "/users/..%2Fusers",
        "/auth%2Fme",
        "/auth/me%0A",
        "/auth/me%0D%0A",
        "/auth/me%00",
        "/auth/me%7F",
        "/auth/me%2F",
        "/users/{id}%00",
        "/users/{id}%0A",
        "/users/{id}%FF",
        "//",
        "///",
        "//users",
        "/./users",
        "/x/../users",
        "/%2e%2e/users",
        "/users/%2e",
        "/auth/me;x=1",
        "/AUTH/ME",
        "/auth/me//",
        "/auth/m\u00e9",
        "*",
    ],
)
def test_odd_spelling_of_a_path_names_nothing(browser: Browser, path: str) -> None:
    """What a proxy allowed under one spelling must not reach an endpoint under another."""
    user = browser.sign_up()
    response = _get(browser, path.format(id=user["id"]))
    assert response.status in {400, 404}, response
    if response.headers.get("server"):
        assert response.refused in {NOT_FOUND, (400, "VALIDATION_ERROR")}


def test_plain_spellings_work(browser: Browser) -> None:
    """A rule that refuses everything would pass the test above."""
    user = browser.sign_up()
    for path in ("/auth/me", "/auth/me/", "/auth/m%65", f"/users/{user['id']}/", f"/users/{user['id']}?x=%2F%00"):
        assert _get(browser, path).status == 200, path


def test_target_with_a_host_is_read_as_its_path(browser: Browser) -> None:
    """A proxy's form of a request: nothing of ours comes from the host in it."""
    browser.sign_up()
    response = _get(browser, "http://evil.test/auth/me")
    assert response.status == 200
    assert b"evil.test" not in response.body + repr(response.headers).encode()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "OPTIONS", "POST"])
def test_method_that_a_path_does_not_have(browser: Browser, method: str) -> None:
    """Refused, and TRACE echoes nothing back: it would show cookies to a script."""
    browser.fetch_csrf()
    with RawConnection(browser.server) as connection:
        response = connection.answer(
            request(
                method,
                "/users",
                f"X-CSRF-Token: {browser.csrf}",
                f"Cookie: _csrf={browser.cookies['_csrf']}",
                "X-Echo: seen-by-nobody",
            )
        )
        assert response.refused == (405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "GET, HEAD"
        assert b"seen-by-nobody" not in response.body


def test_connect_to_a_host_opens_no_tunnel(server: Server) -> None:
    """CONNECT names a host and no path; nothing is answered that a client takes for a tunnel."""
    with RawConnection(server) as connection:
        response = connection.answer(request("CONNECT", "example.com:443"))
        assert 400 <= response.status < 500


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-HTTP-Method": "DELETE"},
        {"X-Method-Override": "DELETE"},
        {"X-Original-URL": "/users"},
        {"X-Rewrite-URL": "/users"},
    ],
    ids=str,
)
def test_method_and_path_are_those_of_the_request_line(browser: Browser, headers: dict[str, str]) -> None:
    """Headers that some frameworks let override them: a GET that deletes needs no CSRF token."""
    user = browser.sign_up()
    path = f"/users/{user['id']}"
    assert browser.get(path, headers=headers).json()["data"] == user
    assert refused(browser.post(f"{path}?_method=DELETE", headers=headers))[0] == 405
    assert browser.get(path).status_code == 200


def test_upgrades_are_ignored(server: Server) -> None:
    """No WebSocket and no HTTP/2 in clear: requests that never pass the edge."""
    for upgrade in ("websocket", "h2c"):
        with RawConnection(server) as connection:
            response = connection.answer(
                request(
                    "GET",
                    "/users",
                    "Connection: Upgrade, HTTP2-Settings",
                    f"Upgrade: {upgrade}",
                    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
                    "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: AAMAAABkAARAAAAAAAIAAA==",
                )
            )
            assert response.refused == (401, "UNAUTHORIZED")


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    """A hundred in one go, fast and slow ones mixed; each answer belongs to its request."""
    paths = ["/healthz", "/readyz", "/auth/csrf-token", "/nowhere", "/users", "/openapi.json"] * 17
    with RawConnection(server) as connection:
        connection.send(b"".join(request("GET", path) for path in paths[:100]))
        answers = [connection.response() for _ in range(100)]
    kinds = {"/healthz": "OK", "/readyz": "Ready", "/nowhere": "Not found", "/users": "Unauthorized"}
    for path, answer in zip(paths, answers, strict=False):
        assert answer is not None, path
        found = answer.json()
        assert found.get("message") == kinds.get(path), path
        assert ("csrfToken" in found, "openapi" in found) == (path == "/auth/csrf-token", path == "/openapi.json")


def test_line_ends_in_a_path_make_no_header_and_no_log_line(server: Server) -> None:
    """CWE-93 and CWE-117: what a client sends can neither split an answer nor forge a line of the log."""
    marker = new_email("marker").partition("@")[0]
    path = f"/{marker}%0d%0aSet-Cookie:%20stolen=1%0d%0a12:00:00%20GET%20/forged"
    with RawConnection(server) as connection:
        response = connection.answer(request("GET", path, f"Origin: https://{marker}.test"))
    assert response.refused == NOT_FOUND
    assert "set-cookie" not in response.headers
    assert marker not in repr(response.headers) + response.body.decode()
    origin, line = [line for line in server.printed().splitlines() if marker in line]
    assert f"origin='https://{marker}.test'" in origin
    assert re.fullmatch(rf"\d\d:\d\d:\d\d GET {re.escape(path)} 404 [\d.]+ ms", line)


def test_control_characters_in_a_user_agent_are_not_kept(browser: Browser, sql: Sql) -> None:
    """The audit log is read on terminals: neither escape sequences nor C1 controls get that far."""
    browser.fetch_csrf()
    body = b'{"email":"nobody@example.com","password":"Secret123!"}'
    with RawConnection(browser.server) as connection:
        response = connection.answer(
            request(
                "POST",
                "/auth/login",
                "User-Agent: a\x9b31m\x85b\tc",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                f"X-CSRF-Token: {browser.csrf}",
                f"Cookie: _csrf={browser.cookies['_csrf']}",
                body=body,
            )
        )
    assert response.refused == (401, "UNAUTHORIZED")
    (row,) = sql.execute(
        "SELECT metadata FROM audit_logs WHERE metadata->>'requestId' = %s", [response.headers["x-request-id"]]
    ).fetchall()
    assert row["metadata"]["userAgent"] == "a31mbc"
