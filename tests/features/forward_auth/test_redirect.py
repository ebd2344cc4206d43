"""A browser that opens a page of the app is sent to the page where people sign in."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.kit.asking_proxy import ACCOUNTS, APP, LISTED
from tests.kit.browser import Browser
from tests.kit.forging import genuine_access
from tests.kit.server import Server

NAVIGATES = {"Sec_Fetch_Mode": "navigate", "X_Forwarded_Host": "www.example.com"}


def test_with_the_page_that_it_wanted(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """The URL comes back whole, whatever characters it has."""
    uri = "/reports/2026?from=1&to=2&x=%26+a#"
    for method in ("GET", "HEAD"):
        answer = ask("redirect=1", method, uri=uri, cookies={}, **NAVIGATES)
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["cache-control"] == "no-store"
        page = urlsplit(answer.headers["location"])
        assert f"{page.scheme}://{page.netloc}{page.path}" == f"{ACCOUNTS}/sign-in"
        assert parse_qs(page.query) == {"theme": ["dark"], "returnTo": [f"{LISTED}{uri}"]}
    visitor.sign_up()
    assert ask("redirect=1", uri=uri, **NAVIGATES).status_code == 204


def test_expired_and_ended_sessions(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """The page there refreshes or signs in. A check does not: of two that refresh at once, one would be reuse."""
    visitor.sign_up()
    expired = {"accessToken": genuine_access(visitor).changed(exp=1), "refreshToken": visitor.cookies["refreshToken"]}
    answer = ask("redirect=1&profile=1&maxAge=60", cookies=expired, **NAVIGATES)
    assert (answer.status_code, "set-cookie" in answer.headers) == (302, False)
    cookies = dict(visitor.cookies)
    assert visitor.post("/auth/logout").status_code == 200
    assert ask("redirect=1", cookies=cookies, **NAVIGATES).status_code == 302


@pytest.mark.parametrize(
    ("query", "method", "headers"),
    [
        ("", "GET", {}),
        ("redirect=1", "POST", {}),
        ("redirect=1", None, {}),
        ("redirect=1", "GET", {"Sec_Fetch_Mode": "cors"}),
        ("redirect=1", "GET", {"Sec_Fetch_Mode": None}),
        ("redirect=1", "GET", {"X_Forwarded_Host": "elsewhere.example"}),
        ("redirect=1", "GET", {"X_Forwarded_Host": "app.example.com"}),
        ("redirect=1", "GET", {"X_Forwarded_Proto": "http"}),
        ("redirect=1", "GET", {"X_Forwarded_Host": None}),
        ("redirect=1", "GET", {"X_Forwarded_Uri": None}),
        ("redirect=1", "GET", {"X_Forwarded_Uri": "https://elsewhere.example/"}),
        ("redirect=1", "GET", {"X_Forwarded_Uri": "@elsewhere.example/"}),
        ("redirect=1", "GET", {"Authorization": "Bearer a.b.c"}),
        ("redirect=1&x=1", "GET", {}),
        ("redirect=1&redirect=1", "GET", {}),
        ("redirect=2", "GET", {}),
    ],
)
def test_what_gets_401(
    ask: Callable[..., httpx.Response], query: str, method: str | None, headers: dict[str, str | None]
) -> None:
    """Scripts and changes, URLs of strangers, and questions that no sign-in answers: there a redirect would be a loop."""
    assert ask(query, method, cookies={}, **NAVIGATES | headers).status_code == 401


def test_two_credentials_are_no_reason_to_sign_in(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    visitor.sign_up()
    token = visitor.cookies["accessToken"]
    assert ask("redirect=1", Authorization=f"Bearer {token}", **NAVIGATES).status_code == 401
    assert ask("redirect=1&role=admin", **NAVIGATES).status_code == 403


def test_pages_of_latchkey_itself(ask: Callable[..., httpx.Response]) -> None:
    """Their origin is that of PUBLIC_URL."""
    own = NAVIGATES | {"X_Forwarded_Host": "accounts.example.com"}
    assert ask("redirect=1", cookies={}, **own).status_code == 302


def test_without_a_page_to_sign_in_on(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    browser = open_browser(start(TRUSTED_PROXIES="127.0.0.1", CORS_ORIGINS=APP))
    asked = {"Sec-Fetch-Mode": "navigate", "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/"}
    asked |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.com"}
    assert browser.get("/auth/check?redirect=1", headers=asked).status_code == 401


def test_a_page_without_a_query(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    browser = open_browser(start(TRUSTED_PROXIES="127.0.0.1", CORS_ORIGINS=APP, SIGN_IN_URL=f"{APP}/in"))
    asked = {"Sec-Fetch-Mode": "navigate", "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/a"}
    asked |= {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.com"}
    answer = browser.get("/auth/check?redirect=1", headers=asked)
    assert answer.headers["location"] == f"{APP}/in?returnTo=https%3A%2F%2Fapp.example.com%2Fa"
