"""What a developer or operator learns of pages that may not call: from the log, and under `latchkey dev` from the answer."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.kit.browser import Browser, refused
from tests.kit.raw_http import RawConnection, request
from tests.kit.server import Server

REFUSED = (403, "EBADCSRFTOKEN", "invalid csrf token")
UNLISTED = "an origin is not in CORS_ORIGINS"
BY_RULE = "a change was refused by the origin rule"
EVIL = "https://evil.test"


def _lines(server: Server, what: str) -> list[str]:
    return [line for line in server.printed().splitlines() if what in line]


def _get(browser: Browser, origin: str) -> httpx.Response:
    return browser.get("/auth/csrf-token", headers={"Origin": origin})


def test_latchkey_dev_says_why(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """Behind a proxy that changes Host, say: the answer and the log name both, and what to do."""
    browser = open_browser(start())
    for headers, words in (
        (
            {"Origin": "http://localhost:8080"},
            ("'http://localhost:8080'", "Host '127.0.0.1:", "changeOrigin", "PUBLIC_URL"),
        ),
        ({"Origin": "null"}, ("'null'", "CORS_ORIGINS")),
        ({"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}, (f"'{EVIL}'", "Sec-Fetch-Site is cross-site")),
        ({"Sec-Fetch-Site": "cross-site"}, ("Sec-Fetch-Site is cross-site", "no Origin")),
    ):
        answer = browser.post("/auth/logout", headers=headers)
        status, code, message = refused(answer)
        assert (status, code) == REFUSED[:2]
        assert message.startswith(f"{REFUSED[2]}: ")
        assert all(word in message for word in words), message
        (line,) = _lines(browser.server, answer.headers["x-request-id"])
        assert BY_RULE in line
        assert all(word in line for word in words), line
    assert refused(browser.post("/auth/logout", with_csrf=False)) == REFUSED


def test_latchkey_dev_names_public_url(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """Where it is set, it is what an Origin is compared with."""
    browser = open_browser(start(PUBLIC_URL="https://accounts.test/base"))
    message = refused(browser.post("/auth/logout", headers={"Origin": browser.server.url}))[2]
    assert (
        f"'{browser.server.url}' is neither that of PUBLIC_URL (https://accounts.test) nor in CORS_ORIGINS" in message
    )


@pytest.mark.parametrize("origin", [EVIL, "null", "https://evil.test\t\x85forged\x9b2J"], ids=ascii)
def test_production_says_it_in_the_log_alone(
    start: Callable[..., Server], open_browser: Callable[..., Browser], origin: str
) -> None:
    """One JSON line with cause and origin, which cannot become a second one; the answer is the contract's."""
    browser = open_browser(start(ENVIRONMENT="production", PUBLIC_URL="https://accounts.test"))
    browser.fetch_csrf()
    cookie = f"Cookie: _csrf={browser.cookies['_csrf']}"
    with RawConnection(browser.server) as connection:
        answer = connection.answer(
            request("POST", "/auth/logout", f"Origin: {origin}", cookie, f"X-CSRF-Token: {browser.csrf}")
        )
    assert (answer.status, answer.json()["code"], answer.json()["message"]) == REFUSED
    lines = [json.loads(line) for line in browser.server.printed().splitlines()]
    (line,) = [line for line in lines if line["event"] == BY_RULE]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (
        f"Origin {origin!r} is neither that of PUBLIC_URL (https://accounts.test) nor in CORS_ORIGINS" in line["cause"]
    )
    (line,) = [line for line in lines if line["event"].startswith(UNLISTED)]
    assert line["origin"] == origin


def test_an_origin_that_is_not_listed_is_logged_once(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """However often its pages call, by whatever method; our own pages and those that are listed are never."""
    browser = open_browser(start())
    for _ in range(3):
        _get(browser, "https://app.test")
        headers = {"Origin": "https://app.test", "Access-Control-Request-Method": "PUT"}
        browser.request("OPTIONS", "/users/1", headers=headers)
        _get(browser, "http://localhost:5173")
        _get(browser, browser.server.url)
    (line,) = _lines(browser.server, UNLISTED)
    assert "origin='https://app.test' advice='if the pages are yours, add it to CORS_ORIGINS'" in line
    _get(browser, "https://other.test")
    assert len(_lines(browser.server, UNLISTED)) == 2
    for origin in ("null", "https://other.test/", "HTTPS://OTHER.TEST", "a" * 8_000):
        _get(browser, origin)
        line = _lines(browser.server, UNLISTED)[-1]
        assert "this cannot be listed" in line
        assert len(line) < 500


def test_no_origin_can_forge_a_line(start: Callable[..., Server]) -> None:
    """Nor reach a terminal with its control characters."""
    server = start()
    with RawConnection(server) as connection:
        connection.answer(request("GET", "/healthz", "Origin: https://a.test\x85warning: forged\x9b2J"))
    (line,) = _lines(server, UNLISTED)
    assert r"origin='https://a.test\x85warning: forged\x9b2J'" in line


def test_what_is_remembered_is_bounded(start: Callable[..., Server]) -> None:
    """A thousand others push an origin out, so that it is logged again; one that comes often stays."""
    server = start(REQUEST_LOG="false")
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for number in range(1_000):
            client.options("/", headers={"Origin": f"https://{number}.test", "Access-Control-Request-Method": "PUT"})
            client.get("/healthz", headers={"Origin": "https://often.test"})
        client.get("/healthz", headers={"Origin": "https://0.test"})
    assert len(_lines(server, "'https://often.test'")) == 1
    assert len(_lines(server, "'https://0.test'")) == 2
    assert len(_lines(server, "'https://999.test'")) == 1
