"""Headers of every answer: what helmet 8 sends, a request id, nothing about the software."""

from collections.abc import Callable

import httpx
import psycopg
import pytest

from tests.kit import plain_http
from tests.kit.browser import Browser, new_email
from tests.kit.read_only_database import make_read_only
from tests.kit.server import Server

HELMET_8 = {
    "content-security-policy": (
        "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';"
        "frame-ancestors 'self';img-src 'self' data:;object-src 'none';script-src 'self';"
        "script-src-attr 'none';style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "origin-agent-cluster": "?1",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-download-options": "noopen",
    "x-frame-options": "SAMEORIGIN",
    "x-permitted-cross-domain-policies": "none",
    "x-xss-protection": "0",
}
JSON = {"Content-Type": "application/json"}
PREFLIGHT = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PUT"}


def _hold_to_all(response: httpx.Response, *, but: frozenset[str] = frozenset()) -> None:
    for name, value in HELMET_8.items():
        if name not in but:
            assert response.headers.get_list(name) == [value], name
    assert response.headers.get_list("server") == ["latchkey"]
    assert "x-powered-by" not in response.headers
    assert len(response.headers.get_list("x-request-id")) == 1
    assert "Origin" in response.headers["vary"]
    assert len(response.headers.get_list("content-type")) == (0 if response.status_code == 204 else 1)
    if response.request.method != "HEAD" and response.status_code != 204:
        assert int(response.headers["content-length"]) == response.num_bytes_downloaded


def test_every_status_has_them_all(browser: Browser) -> None:
    """200 to 415. The two that need a broken or a busy server follow below."""
    user, other = browser.register(), browser.register()
    login = {"email": user["email"], "password": "Secret123!"}
    mine, path = {"name": "Siam"}, f"/users/{user['id']}"
    answers = [
        browser.get("/auth/me"),
        browser.post("/auth/login", login),
        browser.get("/auth/me"),
        browser.post("/auth/register", login | {"name": "Siam", "email": new_email()}),
        browser.request("OPTIONS", path, headers=PREFLIGHT),
        browser.patch(path, content=b"{", headers=JSON),
        browser.patch(path, mine, with_csrf=False),
        browser.get("/nowhere"),
        browser.put("/auth/me", mine),
        browser.patch(path, {"email": other["email"]}),
        browser.patch(path, content=b"x" * 10_241, headers=JSON),
        browser.patch(path, content=b"x=1", headers={"Content-Type": "text/plain"}),
        browser.get("/users", headers={"Host": "a/b"}),
        browser.request("HEAD", "/auth/me"),
        browser.get("/openapi.json"),
    ]
    expected = [401, 200, 200, 201, 204, 400, 403, 404, 405, 409, 413, 415, 400, 200, 200]
    assert [answer.status_code for answer in answers] == expected
    for answer in answers:
        _hold_to_all(answer)


def test_refusals_of_a_server_in_trouble_have_them_too(start: Callable[..., Server]) -> None:
    """429, 500 and 503; the 500 says nothing of its cause, which is in the log under the request's id."""
    server = start(RATE_LIMIT="5/15 minutes")
    with plain_http.client(base_url=server.url, headers={"Origin": "http://localhost:3000"}) as client:
        token = client.get("/auth/csrf-token").json()["csrfToken"]
        body = {"name": "Siam", "email": new_email(), "password": "Secret123!"}
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("ALTER TABLE users ADD CONSTRAINT of_a_test CHECK (name <> 'Siam') NOT VALID")
            broken = client.post("/auth/register", json=body, headers={"X-CSRF-Token": token})
            make_read_only(connection)
        unready = client.get("/readyz")
        busy = client.post("/auth/register", json=body, headers={"X-CSRF-Token": token})
        while (limited := client.get("/users")).status_code == 401:
            pass
    answers = {500: broken, 503: busy, 429: limited}
    for status, answer in answers.items():
        assert answer.status_code == status
        _hold_to_all(answer)
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert answer.json()["success"] is False
    assert unready.status_code == 503, server.printed()
    assert broken.json() == {"success": False, "message": "Internal server error", "code": "INTERNAL_ERROR"}
    (line,) = [line for line in server.printed().splitlines() if "unexpected error" in line]
    assert broken.headers["x-request-id"] in line
    assert "CheckViolationError" in server.printed()
    # PostgreSQL describes the row that it has refused, hash and all.
    for private in (body["email"], body["password"], "$2b$"):
        assert private not in server.printed()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api-docs", "text/html; charset=utf-8"),
        ("/api-docs/init.js", "text/javascript; charset=utf-8"),
        ("/api-docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/api-docs/swagger-ui.css", "text/css; charset=utf-8"),
        ("/api-docs/favicon-32x32.png", "image/png"),
    ],
)
def test_page_has_a_policy_of_its_own(browser: Browser, path: str, kind: str) -> None:
    """The page gets what it needs and no wider: scripts of ours only, nothing inline, nobody frames it."""
    response = browser.get(path)
    assert response.headers["content-type"] == kind
    if path != "/api-docs":
        _hold_to_all(response)
        return
    _hold_to_all(response, but=frozenset({"content-security-policy"}))
    (policy,) = response.headers.get_list("content-security-policy")
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "http" not in policy
    assert "<script>" not in response.text


def test_client_module_may_be_imported_from_elsewhere(browser: Browser) -> None:
    """Front ends on other origins import it: a policy of its own, CORS for the allowed, and nothing else less strict."""
    response = browser.get("/client.js", headers={"Origin": "http://localhost:5173"})
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
    assert response.headers.get_list("access-control-allow-origin") == ["http://localhost:5173"]
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert "ratelimit-limit" not in response.headers
    _hold_to_all(response, but=frozenset({"cross-origin-resource-policy"}))
    assert (
        "access-control-allow-origin" not in browser.get("/client.js", headers={"Origin": "https://evil.test"}).headers
    )


def test_answers_about_somebody_are_never_stored(browser: Browser) -> None:
    """No cache keeps them, none can be asked whether they have changed."""
    user = browser.sign_up()
    conditional = {"If-None-Match": "*", "If-Modified-Since": "Sun, 01 Jan 2040 00:00:00 GMT"}
    for path in ("/users", f"/users/{user['id']}", "/auth/me", "/auth/csrf-token"):
        response = browser.get(path, headers=conditional)
        assert response.status_code == 200
        assert response.headers.get_list("cache-control") == ["no-store"]
        assert not {"etag", "last-modified"} & set(response.headers)
    for response in (browser.patch(f"/users/{user['id']}", {"name": "Other"}), browser.get("/users/0", cookies={})):
        assert response.headers.get_list("cache-control") == ["no-store"]


def test_request_ids_differ(browser: Browser) -> None:
    """An id names one request; one that a stranger sends is not taken over."""
    sent = "0af7651916cd43dd8448eb211c80319c"
    answers = [browser.get("/healthz", headers={"X-Request-Id": sent}) for _ in range(20)]
    assert len({answer.headers["x-request-id"] for answer in answers} | {sent}) == 21


def test_head_is_get_without_a_body(browser: Browser) -> None:
    """HEAD works wherever GET does, with the headers of GET."""
    user = browser.sign_up()
    for path in (
        "/healthz",
        "/readyz",
        "/auth/me",
        "/users",
        f"/users/{user['id']}",
        "/openapi.json",
        "/api-docs",
        "/",
    ):
        head, get = browser.request("HEAD", path), browser.get(path)
        assert head.content == b""
        assert _lasting(head) == _lasting(get)
        assert head.headers["content-length"] == str(get.num_bytes_downloaded)


def _lasting(response: httpx.Response) -> list[tuple[str, str]]:
    passing = {"x-request-id", "date", "ratelimit-remaining", "ratelimit-reset"}
    return sorted(item for item in response.headers.multi_items() if item[0] not in passing)
