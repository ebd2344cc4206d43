"""What a body may be called: application/json in UTF-8, as it is, and nothing else."""

import gzip
import json
import zlib

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.routes import WITH_BODY, WITHOUT_BODY, Route
from tests.kit.stored import Sql, everything_of, users_with

NOT_JSON = (415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")
REFUSED_TYPES = (
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/json;charset=utf-16le",
    "application/json; charset=latin1",
    "application/json; charset=",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json-patch+json",
    "application/vnd.api+json",
    "application/jsonx",
    "xapplication/json",
    "application/json, text/plain",
    "application/json text/plain",
    "application / json",
    "json",
    "*/*",
    "application/*",
)
ACCEPTED_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
    "APPLICATION/JSON",
    "application/json;",
    "application/json ; charset=utf-8",
)
Refusal = tuple[int, str, str]


def register(browser: Browser, content: bytes, headers: dict[str, str]) -> Refusal | int:
    """Sends a body to register: the refusal, or the status of a success."""
    response = browser.request("POST", "/auth/register", content=content, headers=headers)
    return response.status_code if response.status_code == 201 else refused(response)


def valid(email: str) -> bytes:
    """A body that would make an account."""
    return json.dumps({"name": "Siam", "email": email, "password": PASSWORD}).encode()


@pytest.mark.parametrize("content_type", REFUSED_TYPES)
def test_another_type(browser: Browser, sql: Sql, content_type: str) -> None:
    """415 even for a body that would parse: forms can send those types across sites, JSON they cannot."""
    email = new_email()
    assert register(browser, valid(email), {"Content-Type": content_type}) == NOT_JSON
    assert users_with(sql, email) == []


@pytest.mark.parametrize("content_type", ACCEPTED_TYPES)
def test_ways_to_write_the_right_type(browser: Browser, content_type: str) -> None:
    """RFC 9110: types and charsets have no case; quotes and spaces are allowed."""
    assert register(browser, valid(new_email()), {"Content-Type": content_type}) == 201


def test_no_type_at_all(browser: Browser) -> None:
    """A body has to say what it is."""
    assert register(browser, valid(new_email()), {}) == NOT_JSON


def test_form_of_the_original_is_refused(browser: Browser) -> None:
    """node-api-postgres parsed urlencoded bodies, which any site's form can send."""
    content = f"name=Siam&email={new_email()}&password={PASSWORD}".encode()
    assert register(browser, content, {"Content-Type": "application/x-www-form-urlencoded"}) == NOT_JSON


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_every_route_with_a_body(browser: Browser, sql: Sql, route: Route) -> None:
    """The handler does not run: no session opened or ended, no row written."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    assert route.body is not None
    content = json.dumps(route.body()).encode()
    response = route.call(browser, user["id"], content=content, headers={"Content-Type": "text/plain"})
    assert refused(response) == NOT_JSON
    assert "set-cookie" not in response.headers
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize("route", WITHOUT_BODY, ids=str)
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_routes_without_a_body_ask_for_no_type(browser: Browser, route: Route, content_type: str) -> None:
    """They ignore one, even if it is no JSON."""
    user = browser.sign_up()
    response = route.call(browser, user["id"], content=b"{", headers={"Content-Type": content_type})
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
def test_compressed_body(browser: Browser, sql: Sql, encoding: str) -> None:
    """A few bytes could unfold into gigabytes: never unpacked, whether or not they are what they say."""
    email = new_email()
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    packed = zlib.compress(valid(email)) if encoding == "deflate" else gzip.compress(valid(email))
    assert register(browser, packed, headers) == NOT_JSON
    assert register(browser, valid(email), headers) == NOT_JSON
    assert users_with(sql, email) == []


def test_identity_is_no_compression(browser: Browser) -> None:
    """RFC 9110, section 8.4.1: the one coding that changes nothing."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "identity"}
    assert register(browser, valid(new_email()), headers) == 201
