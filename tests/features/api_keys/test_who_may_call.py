"""What a request with an API key may do, and how each kind of bad one is refused. The tables use two endpoints that
take keys: GET /revocations, and POST /oauth/introspect, which answers in the form of OAuth."""

from collections.abc import Callable

import pytest

from latchkey.features.api_keys.key_format import new_key
from tests.kit.browser import Browser, Member, refused
from tests.kit.native_client import NativeClient
from tests.kit.services import Service, add_api_key, another_secret, id_of
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

INVALID = (401, "INVALID_API_KEY", "Invalid API key")
NO_SCOPE = (403, "INSUFFICIENT_SCOPE", "The API key lacks a scope")
UNAUTHORIZED = (401, "UNAUTHORIZED", "Unauthorized")
FORBIDDEN = (403, "FORBIDDEN", "You are not allowed to perform this action")
NOT_FOR_BROWSERS = (403, "NOT_FOR_BROWSERS", "This is not for browsers")
AMBIGUOUS = (400, "AMBIGUOUS_CREDENTIALS", "Send cookies, a bearer token or an API key, not two")
OAUTH_INVALID = (401, {"error": "invalid_client", "error_description": "Invalid API key"})


def oauth_refused(service: Service) -> tuple[int, dict[str, str]]:
    """Returns how an introspection is refused."""
    answer = service.introspect("x")
    return answer.status_code, answer.json()


@pytest.fixture
def service(open_service: Callable[..., Service], sql: Sql) -> Service:
    """A server with both scopes."""
    return open_service(add_api_key(sql, "revocations:read", "tokens:introspect"))


def test_a_good_key(service: Service, sql: Sql) -> None:
    """No CSRF token and no cookie is needed, and none is set. The operator sees when the key was used."""
    for answer in (service.request("GET", "/revocations"), service.introspect("x")):
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    key_id = id_of(service.key or "")

    def was_used() -> bool:
        row = sql.execute("SELECT last_used_at FROM api_keys WHERE id = %s", [key_id]).fetchone()
        return row is not None and row["last_used_at"] is not None

    # Other tests use keys, too, and all uses of a minute are stored together.
    eventually(was_used, "the use is stored", within=90)


def test_bad_keys(service: Service, sql: Sql) -> None:
    """One answer for all: it says nothing about the key."""
    good = service.key or ""
    expired = add_api_key(sql, "revocations:read", "tokens:introspect", expires_in="-1 second")
    revoked = add_api_key(sql, "revocations:read", "tokens:introspect")
    sql.execute("UPDATE api_keys SET revoked_at = now() WHERE id = %s", [id_of(revoked)])
    for bad in (new_key(), expired, revoked, another_secret(good), f"{good}x", good[:-1], "lk_", "lk_x", "lk_\xff"):
        service.key = bad
        assert refused(service.request("GET", "/revocations")) == INVALID, bad
        assert oauth_refused(service) == OAUTH_INVALID, bad
    service.key = good
    assert service.request("GET", "/revocations").status_code == 200


def test_the_id_of_a_good_key_is_not_enough(service: Service) -> None:
    """Not even while that key is remembered."""
    good = service.key or ""
    for key, status in ((good, 200), (another_secret(good), 401), (good, 200), (another_secret(good), 401)):
        service.key = key
        assert service.request("GET", "/revocations").status_code == status


@pytest.mark.parametrize("scopes", [(), ("tokens:introspect",), ("revocations:read",), ("users:read",)])
def test_each_scope_opens_its_endpoint_only(
    open_service: Callable[..., Service], sql: Sql, scopes: tuple[str, ...]
) -> None:
    service = open_service(add_api_key(sql, *scopes))
    listed, introspected = service.request("GET", "/revocations"), service.introspect("x")
    if "revocations:read" in scopes:
        assert listed.status_code == 200
    else:
        assert refused(listed) == NO_SCOPE
    if "tokens:introspect" in scopes:
        assert introspected.json() == {"active": False}
    else:
        assert introspected.status_code == 403
        assert introspected.json() == {"error": "insufficient_scope", "error_description": "The API key lacks a scope"}


@pytest.mark.parametrize("key", [None, "", "x", "LK_", "Bearer lk_x"])
def test_without_a_key(service: Service, key: str | None) -> None:
    """Any other value of the header is another program's, and ignored."""
    service.key = key
    assert refused(service.request("GET", "/revocations")) == UNAUTHORIZED
    assert oauth_refused(service) == (401, {"error": "invalid_client", "error_description": "Unauthorized"})


def test_a_session_is_no_key(browser: Browser, native: NativeClient) -> None:
    """Neither a signed-in browser nor a native client may ask what servers ask."""
    browser.sign_up()
    assert refused(browser.get("/revocations")) == UNAUTHORIZED
    native.login(browser.register()["email"])
    assert refused(native.get("/revocations")) == UNAUTHORIZED
    for with_csrf in (True, False):
        answer = browser.post("/oauth/introspect", content=b"token=x", with_csrf=with_csrf)
        assert answer.status_code == 401
        assert answer.json() == {"error": "invalid_client", "error_description": "Unauthorized"}


@pytest.mark.parametrize(("header", "value"), [("Origin", "https://app.example.com"), ("Sec-Fetch-Site", "none")])
def test_a_page_cannot_use_a_key(service: Service, header: str, value: str) -> None:
    """A key in a page is everybody's key."""
    answer = service.request("GET", "/revocations", headers={header: value})
    assert refused(answer) == NOT_FOR_BROWSERS


def test_two_credentials(service: Service, browser: Browser) -> None:
    browser.sign_up()
    token = browser.cookies["accessToken"]
    for headers in ({"Cookie": f"accessToken={token}"}, {"Authorization": f"Bearer {token}"}):
        assert refused(service.request("GET", "/revocations", headers=headers)) == AMBIGUOUS


def test_where_no_key_is_taken(service: Service, member: Member) -> None:
    """Whatever the key may do elsewhere. Where nobody is asked who they are, the key is ignored."""
    for method, path in (("GET", "/auth/me"), ("GET", f"/users/{member.id}"), ("DELETE", f"/users/{member.id}")):
        assert refused(service.request(method, path)) == FORBIDDEN
    assert service.request("GET", "/auth/csrf-token").status_code == 200
    assert service.request("GET", "/healthz").status_code == 200
    assert refused(service.request("POST", "/auth/login"))[:2] == (403, "EBADCSRFTOKEN")
