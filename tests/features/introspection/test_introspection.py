"""POST /oauth/introspect: a server asks whether an access token is good now."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from latchkey.sessions.claims import TokenKind
from tests.kit.answers import claims_of
from tests.kit.browser import Browser
from tests.kit.forging import FORGERIES, Genuine, genuine_access
from tests.kit.native_client import NativeClient
from tests.kit.routes import minted
from tests.kit.server import Server
from tests.kit.services import FORM, Service, add_api_key
from tests.kit.stored import Sql
from tests.kit.wire import Wire

INACTIVE = {"active": False}
SAID = ("sub", "sid", "jti", "iss", "aud", "exp", "iat", "role", "amr", "auth_time")


@pytest.fixture
def service(open_service: Callable[..., Service], sql: Sql) -> Service:
    """A server that may introspect."""
    return open_service(add_api_key(sql, "tokens:introspect"))


def found(service: Service, token: str) -> Any:
    """Returns what the server learns of a token."""
    answer = service.introspect(token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_good_token(service: Service, browser: Browser) -> None:
    """The answer is what the token says, bare, and no cache keeps it."""
    browser.sign_up()
    token = browser.cookies["accessToken"]
    answer = service.introspect(token)
    assert answer.headers["cache-control"] == "no-store"
    claims = claims_of(token)
    assert answer.json() == {"active": True, "token_type": "Bearer"} | {name: claims[name] for name in SAID}


def test_a_token_of_a_native_client(service: Service, native: NativeClient, browser: Browser) -> None:
    native.login(browser.register()["email"])
    assert found(service, native.access)["sid"] == claims_of(native.access)["sid"]


def test_a_token_that_is_signed_with_the_secret_names_no_issuer(
    start: Callable[..., Server],
    own_sql: Sql,
    open_browser: Callable[..., Browser],
    open_service: Callable[..., Service],
) -> None:
    """As in production without PUBLIC_URL, where there is no signing key."""
    server = start(ENVIRONMENT="production")
    browser = open_browser(server)
    browser.sign_up()
    service = open_service(add_api_key(own_sql, "tokens:introspect"), on=server)
    answer = found(service, browser.cookies["accessToken"])
    assert answer["active"] is True
    assert not {"iss", "aud"} & answer.keys()


def test_whoever_acts_for_the_user_is_named(service: Service, browser: Browser) -> None:
    user = browser.sign_up()
    token = genuine_access(browser).changed(act={"sub": str(user["id"] + 1)})
    assert found(service, token)["act"] == {"sub": str(user["id"] + 1)}


def test_an_ended_session(service: Service, browser: Browser) -> None:
    """It is inactive as soon as the ending is acknowledged."""
    browser.sign_up()
    token = browser.cookies["accessToken"]
    assert found(service, token)["active"] is True
    browser.post("/auth/logout")
    assert found(service, token) == INACTIVE


@pytest.mark.parametrize(
    ("change", "active"),
    [
        ("suspended_at = now()", False),
        ("suspended_at = now(), suspended_until = now() + interval '1 hour'", False),
        ("suspended_at = now() - interval '2 hours', suspended_until = now() - interval '1 hour'", True),
        ("is_deleted = true, deleted_at = now()", False),
    ],
)
def test_the_user_in_the_database_decides(
    service: Service, browser: Browser, sql: Sql, change: str, active: bool
) -> None:
    user = browser.sign_up()
    token = browser.cookies["accessToken"]
    sql.execute(f"UPDATE users SET {change} WHERE id = %s", [user["id"]])
    assert found(service, token)["active"] is active


@pytest.mark.parametrize("change", ["ended_at = now()", "expires_at = now() - interval '1 second'"])
def test_the_session_in_the_database_decides(service: Service, browser: Browser, sql: Sql, change: str) -> None:
    """Also where nothing has notified the instance."""
    browser.sign_up()
    token = browser.cookies["accessToken"]
    sql.execute(f"UPDATE sessions SET {change} WHERE id = %s", [claims_of(token)["sid"]])
    assert found(service, token) == INACTIVE


def test_a_session_of_another_user(service: Service, browser: Browser, open_browser: Callable[..., Browser]) -> None:
    """Rightly signed, but no token that we make."""
    user, other = browser.sign_up(), open_browser()
    other.sign_up()
    session_id = claims_of(other.cookies["accessToken"])["sid"]
    assert found(service, minted(service.server, TokenKind.ACCESS, user["id"], session_id)) == INACTIVE


def test_an_expired_token(service: Service, browser: Browser) -> None:
    """Of a live session."""
    user = browser.sign_up()
    session_id = claims_of(browser.cookies["accessToken"])["sid"]
    assert found(service, minted(service.server, TokenKind.ACCESS, user["id"], session_id, age=301)) == INACTIVE
    assert found(service, minted(service.server, TokenKind.ACCESS, user["id"], session_id))["active"] is True


def test_what_is_no_access_token(service: Service, browser: Browser) -> None:
    browser.sign_up()
    token = browser.cookies["accessToken"]
    for other in (browser.cookies["refreshToken"], service.key, token[:-1], f"{token} ", "null", "é\0", "x" * 9_000):
        assert found(service, str(other)) == INACTIVE, other


@pytest.fixture(scope="module")
def genuine(server: Server, wire: Wire) -> Iterator[Genuine]:
    """The token of somebody whom no forgery touches: one for them all."""
    browser = Browser(server, wire)
    browser.sign_up()
    yield genuine_access(browser)
    browser.close()


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token(service: Service, genuine: Genuine, name: str) -> None:
    assert found(service, FORGERIES[name](genuine)) == INACTIVE


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ("", "token is required"),
        ("token=", "token is required"),
        ("token", "token is required"),
        ("Token=x&other=y", "token is required"),
        ("token=x&token=x", "Malformed form body"),
        ("token=&token=x", "Malformed form body"),
        ("token=x&hint=1&hint=2", "Malformed form body"),
        ("token=%FF", "Malformed form body"),
    ],
)
def test_a_bad_form(service: Service, body: str, description: str) -> None:
    answer = service.form(body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": description}
    assert answer.headers["cache-control"] == "no-store"


def test_other_fields_are_ignored(service: Service, browser: Browser) -> None:
    """RFC 7662 lets a server give a hint, and RFC 6749 says that unknown fields do no harm."""
    browser.sign_up()
    for hint in ("access_token", "refresh_token", "anything"):
        answer = service.introspect(browser.cookies["accessToken"], token_type_hint=hint, other="x")
        assert answer.json()["active"] is True


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", f"{FORM.upper()};charset=UTF-8"])
def test_content_types_of_a_form(service: Service, content_type: str) -> None:
    assert service.form("token=x", content_type=content_type).json() == INACTIVE


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", f"{FORM}; charset=latin-1", ""])
def test_other_content_types(service: Service, content_type: str) -> None:
    answer = service.form("token=x", content_type=content_type)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_request",
        "error_description": "Content-Type must be application/x-www-form-urlencoded",
    }


def test_a_form_is_bounded(service: Service) -> None:
    """As every body is. The server's own limits answer in the envelope."""
    assert service.form(urlencode({"token": "x" * 10_234})).status_code == 200
    refusal = service.form(urlencode({"token": "x" * 10_235}))
    assert (refusal.status_code, refusal.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("query", ["?token=x", "?x="])
def test_a_token_does_not_belong_into_the_url(service: Service, query: str) -> None:
    answer = service.form("token=x", query=query)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert "is not a known field" in answer.json()["error_description"]
