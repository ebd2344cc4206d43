"""CORS: an exact allow-list, with credentials. Development allows the usual ports of front ends on this machine."""

import httpx
import pytest

from tests.kit.browser import Browser

OURS = "http://localhost:5173"
EXPOSED = {
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-Id",
}


def _cors(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def _names(value: str) -> set[str]:
    return {name.strip() for name in value.split(",")}


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://localhost:3001", OURS])
def test_allowed_origin_may_read_answers(browser: Browser, origin: str) -> None:
    """Exactly that origin, with credentials, errors included; caches keep origins apart."""
    for path, status in (("/auth/csrf-token", 200), ("/users", 401), ("/nowhere", 404)):
        response = browser.get(path, headers={"Origin": origin})
        assert response.status_code == status
        found = _cors(response)
        assert _names(found.pop("access-control-expose-headers")) == EXPOSED
        assert found == {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
        assert response.headers.get_list("access-control-allow-origin") == [origin]
        assert "Origin" in _names(response.headers["vary"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        "",
        "*",
        "http://localhost",
        "http://localhost:3002",
        "https://localhost:3000",
        "http://localhost:3000.evil.test",
        "http://evil.test/http://localhost:3000",
        "http://LOCALHOST:3000",
        "http://localhost:3000/",
        "http://localhost:3000, https://evil.test",
        "http://127.0.0.1:3000",
        "file://",
        "a" * 8000,
        "http://[",
    ],
)
def test_any_other_origin_gets_nothing(browser: Browser, origin: str) -> None:
    """No CORS header, and never an error: in node-api-postgres an unknown origin was answered with 500."""
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        response = browser.request(method, "/auth/csrf-token", headers=headers)
        assert response.status_code == (200 if method == "GET" else 204)
        assert _cors(response) == {}
        assert "Origin" in _names(response.headers["vary"])


def test_preflight(browser: Browser) -> None:
    """Every method that we have, the headers that were asked for; it needs neither cookie nor token."""
    headers = {
        "Origin": OURS,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type,x-csrf-token",
    }
    for path in ("/users/1", "/auth/login", "/nowhere"):
        response = browser.request("OPTIONS", path, headers=headers)
        assert response.status_code == 204
        assert response.content == b""
        found = _cors(response)
        assert _names(found["access-control-allow-methods"]) >= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
        assert _names(found["access-control-allow-headers"]) == {"content-type", "x-csrf-token"}
        assert found["access-control-allow-origin"] == OURS
        assert found["access-control-allow-credentials"] == "true"
        assert int(found["access-control-max-age"]) > 0
    assert browser.cookies == {}


@pytest.mark.parametrize("name", ["x-csrf-token", "csrf-token", "x-xsrf-token", "xsrf-token"])
def test_preflight_of_a_token(browser: Browser, name: str) -> None:
    """Whatever its header is called: a page elsewhere may send what we read."""
    headers = {"Origin": OURS, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": name}
    answer = browser.request("OPTIONS", "/users/1", headers=headers)
    assert answer.headers["access-control-allow-headers"] == name


def test_preflight_of_our_own_header_alone(browser: Browser) -> None:
    """Asked for no headers, the answer names none: it invents nothing."""
    headers = {"Origin": OURS, "Access-Control-Request-Method": "PUT"}
    assert "access-control-allow-headers" not in browser.request("OPTIONS", "/users/1", headers=headers).headers


def test_options_that_is_no_preflight(browser: Browser) -> None:
    """Without Access-Control-Request-Method it is a method like any other, which no endpoint has."""
    response = browser.request("OPTIONS", "/users/1", headers={"Origin": OURS})
    assert response.status_code == 405
    assert set(_names(response.headers["allow"])) == {"GET", "HEAD", "PUT", "PATCH", "DELETE"}
    assert response.headers["access-control-allow-origin"] == OURS


def test_allowed_page_can_do_everything(browser: Browser) -> None:
    """A front end on another origin: its Origin passes the CSRF rule too, from its first call to its last."""
    page = {"Origin": OURS, "Sec-Fetch-Site": "same-site"}
    token = browser.get("/auth/csrf-token", headers=page).json()["csrfToken"]
    browser.csrf = token
    user = browser.register()
    for answer in (
        browser.post("/auth/login", {"email": user["email"], "password": "Secret123!"}, headers=page),
        browser.patch(f"/users/{user['id']}", {"name": "From a page"}, headers=page),
        browser.post("/auth/refresh-token", headers=page),
        browser.delete(f"/users/{user['id']}", headers=page),
    ):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == OURS
