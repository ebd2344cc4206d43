"""What production does otherwise: cookie flags, origins, and JSON for log lines."""

import json
from collections.abc import Iterator

import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.server import Server, start_server
from tests.kit.wire import Wire

pytestmark = pytest.mark.smoke

APP = "https://app.example.com"
ACCOUNTS = "https://accounts.example.com"
FLAGS = {"httponly": True, "secure": True, "samesite": "Strict", "path": "/"}


@pytest.fixture(scope="module")
def production(session_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as an operator runs it; with no ENVIRONMENT at all, production is what one gets."""
    running = start_server(
        session_database,
        tmp_path_factory.mktemp("production"),
        ENVIRONMENT="",
        PUBLIC_URL=ACCOUNTS,
        CORS_ORIGINS=f"{APP}, https://admin.example.com",
        COOKIE_PREFIX="__Host-",
    )
    yield running
    running.kill()


@pytest.fixture
def visitor(production: Server, wire: Wire) -> Iterator[Browser]:
    """A browser on it."""
    opened = Browser(production, wire)
    yield opened
    opened.close()


def _flags(browser: Browser) -> dict[str, dict[str, object]]:
    return {cookie.key: {name: value for name, value in cookie.items() if value} for cookie in browser.set_cookies}


def test_cookies_travel_over_https_only(visitor: Browser) -> None:
    """Secure on all three, under the prefix that ties them to this host; clearing repeats the flags."""
    visitor.fetch_csrf()
    assert _flags(visitor) == {"__Host-_csrf": FLAGS}
    user = visitor.register()
    visitor.login(user["email"])
    assert _flags(visitor) == {
        "__Host-accessToken": FLAGS | {"max-age": "900"},
        "__Host-refreshToken": FLAGS | {"max-age": "604800"},
        "__Host-knownDevice": FLAGS | {"max-age": "34560000"},
    }
    assert visitor.get("/auth/me").json()["data"] == user
    assert visitor.post("/auth/refresh-token").status_code == 200
    assert visitor.post("/auth/logout").status_code == 200
    cleared = FLAGS | {"max-age": "0"}
    assert _flags(visitor) == {"__Host-accessToken": cleared, "__Host-refreshToken": cleared}
    assert {cookie.value for cookie in visitor.set_cookies} == {""}


def test_cookies_without_the_prefix_are_nobodys(visitor: Browser) -> None:
    """A sibling domain can plant `accessToken` and `_csrf`, but no cookie whose name begins with __Host-."""
    visitor.sign_up()
    planted = {name.removeprefix("__Host-"): value for name, value in visitor.cookies.items()}
    assert refused(visitor.get("/auth/me", cookies=planted)) == (401, "UNAUTHORIZED", "Unauthorized")
    assert refused(visitor.post("/auth/logout", cookies=planted))[:2] == (403, "EBADCSRFTOKEN")


def test_document_names_the_prefixed_cookies(visitor: Browser) -> None:
    """Generated clients send the cookie that the document names."""
    schemes = visitor.get("/openapi.json").json()["components"]["securitySchemes"]
    assert schemes["cookieAuth"]["name"] == "__Host-accessToken"
    assert schemes["refreshCookie"]["name"] == "__Host-refreshToken"


@pytest.mark.parametrize(
    ("origin", "readable", "accepted"),
    [
        (APP, True, True),
        ("https://admin.example.com", True, True),
        (ACCOUNTS, False, True),
        ("http://localhost:3000", False, False),
        ("http://app.example.com", False, False),
        ("https://example.com", False, False),
    ],
)
def test_origins_are_those_of_the_settings(visitor: Browser, origin: str, readable: bool, accepted: bool) -> None:
    """Development's origins are not allowed; that of PUBLIC_URL may write, and needs no CORS to read."""
    response = visitor.post("/auth/logout", headers={"Origin": origin})
    assert (response.headers.get("access-control-allow-origin") == origin) == readable
    assert refused(response)[:2] == ((401, "UNAUTHORIZED") if accepted else (403, "EBADCSRFTOKEN"))


def test_log_lines_are_json_without_secrets(visitor: Browser) -> None:
    """One object a line; no body, cookie, token or query value in any."""
    user = visitor.sign_up()
    answer = visitor.get("/users?page=1&limit=31337", headers={"User-Agent": "secret-agent"})
    visitor.patch(f"/users/{user['id']}", {"name": "Nobody's business"})
    visitor.get("/nowhere%0a%22forged")
    for encoded in ("%23", "%2523", "%3F", "%3f", "%253f"):
        visitor.get(f"/reset-password{encoded}token%3D24681357")
    text = visitor.server.printed()
    lines = [json.loads(line) for line in text.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == answer.headers["x-request-id"]]
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"], line["ip"]) == ("GET", "/users", 200, "127.0.0.1")
    assert line["ms"] > 0
    assert any(line.get("path") == "/nowhere%0a%22forged" for line in lines)
    assert {"/reset-password%23", "/reset-password%3f"} <= {line.get("path") for line in lines}
    secrets = [PASSWORD, user["email"], "31337", "24681357", "secret-agent", "Nobody's", str(visitor.csrf)]
    secrets += visitor.cookies.values()
    assert [secret for secret in secrets if secret in text] == []
