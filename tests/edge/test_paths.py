"""Paths and methods: HEAD, the trailing slash, what is not there and what is not allowed."""

from collections.abc import Callable

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.routes import (
    CHANGE_PASSWORD,
    CSRF_TOKEN,
    DELETE,
    FORGOT_PASSWORD,
    GET,
    LIST,
    LOGIN,
    LOGOUT,
    ME,
    PATCH,
    PUT,
    REFRESH,
    REGISTER,
    RESET_PASSWORD,
    RESTORE,
    Route,
)
from tests.kit.stored import Sql, everything_of

NOT_FOUND = (404, "RESOURCE_NOT_FOUND", "Not found")
NOT_ALLOWED = (405, "METHOD_NOT_ALLOWED", "Method not allowed")
READS = (
    CSRF_TOKEN,
    ME,
    LIST,
    GET,
    Route("GET", "/healthz"),
    Route("GET", "/readyz"),
    Route("GET", "/openapi.json"),
    Route("GET", "/api-docs"),
)
ALL = (*READS[:4], REGISTER, LOGIN, REFRESH, LOGOUT, CHANGE_PASSWORD, FORGOT_PASSWORD, RESET_PASSWORD) + (
    (PUT, PATCH, DELETE, RESTORE)
)
ALLOWED = {
    "/auth/csrf-token": {"GET", "HEAD"},
    "/auth/me": {"GET", "HEAD"},
    "/users": {"GET", "HEAD"},
    "/users/{id}": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/users/{id}/restore": {"PATCH"},
    "/healthz": {"GET", "HEAD"},
    "/openapi.json": {"GET", "HEAD"},
    "/": {"GET", "HEAD"},
} | {route.path: {"POST"} for route in ALL if route.method == "POST"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
PASSING = {"x-request-id", "date", "ratelimit-remaining", "ratelimit-reset"}


def stable_headers(response: httpx.Response) -> dict[str, str]:
    """The headers that do not change from one request to the next."""
    return {name: value for name, value in response.headers.items() if name not in PASSING}


@pytest.mark.parametrize("route", READS, ids=str)
@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash"])
def test_head_is_get_without_a_body(browser: Browser, sql: Sql, route: Route, slash: str) -> None:
    """The same status and headers, its length included; and like GET it changes nothing."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    path = route.path.format(id=user["id"]) + slash
    # As it is: of a compressed answer the length is that of its compressed form.
    identity = {"Accept-Encoding": "identity"}
    got, head = browser.get(path, headers=identity), browser.request("HEAD", path, headers=identity)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(got.content)
    assert stable_headers(head) == stable_headers(got)
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize("route", [ME, LIST, GET], ids=str)
def test_head_is_refused_like_get(browser: Browser, route: Route) -> None:
    """HEAD is no way around the access token."""
    got, head = route.call(browser), browser.request("HEAD", route.path.format(id=1))
    assert got.status_code == head.status_code == 401
    assert head.content == b""


@pytest.mark.parametrize("route", ALL, ids=str)
def test_trailing_slash_is_ignored(open_browser: Callable[[], Browser], route: Route) -> None:
    """Both forms are the same endpoint; no redirect, which would go wherever Host says and drop the body."""
    with_slash = Route(route.method, route.path + "/", route.body)
    answers = []
    for form in (route, with_slash):
        browser = open_browser()
        answers.append(form.call(browser, browser.sign_up()["id"]))
    plain, slashed = answers
    assert slashed.status_code == plain.status_code, slashed.text
    assert slashed.json().get("message") == plain.json().get("message")
    assert stable_headers(slashed).keys() == stable_headers(plain).keys()
    assert "location" not in slashed.headers


def test_login_with_a_trailing_slash_signs_in(browser: Browser) -> None:
    """The endpoint behind the slash is the whole endpoint."""
    user = browser.register()
    assert browser.post("/auth/login/", {"email": user["email"], "password": PASSWORD}).status_code == 200
    assert browser.get("/auth/me/").json()["data"] == user


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/auth", "/auth/", "/auth/login/x", "/auth//login", "/users/1/2", "/USERS"]
    + ["/Users", "/users/1/restored", "/.env", "/favicon.ico", "/auth/login;x=1", "/auth/login%00", "/auth/login%0A"]
    + ["/auth%2Flogin", "/users%2F1", "/users%2f1", "/users%5C1", "/users/%2E%2E/auth/me", "/us%E9rs", "/%C3%28"],
)
@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed in"])
def test_path_that_is_not_there(browser: Browser, path: str, signed_in: bool) -> None:
    """404 before 401: nothing matches by half, by another case or by an encoded slash."""
    if signed_in:
        browser.sign_up()
    assert refused(browser.get(path)) == NOT_FOUND


def test_encoded_letters_are_the_letters(browser: Browser) -> None:
    """RFC 3986, section 6.2.2.2: an unreserved character may be written either way."""
    user = browser.sign_up()
    assert browser.get(f"/%75sers/%3{user['id']}" if user["id"] < 10 else "/%75sers").status_code == 200


@pytest.mark.parametrize("path", ALLOWED, ids=str)
def test_method_that_is_not_allowed(browser: Browser, path: str) -> None:
    """405 with the methods that are, before any authentication."""
    browser.fetch_csrf()
    for method in METHODS:
        if method not in ALLOWED[path]:
            response = browser.request(method, path.format(id=1))
            assert response.status_code == 405, f"{method}: {response.text}"
            assert set(response.headers["allow"].split(", ")) == ALLOWED[path]
            if method != "HEAD":
                assert refused(response) == NOT_ALLOWED
