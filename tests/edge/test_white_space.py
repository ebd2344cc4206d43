"""Only space and tab are white space around the parts of a header; anything else that stands there is part of the text."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.raw_http import RawConnection, RawResponse, request
from tests.kit.server import Server

# What str.strip() takes for white space, too. The server itself refuses the control characters among them.
CONTROLS = "\x0b\x0c\x1c\x1d\x1e\x1f"
LATIN = "\x85\xa0"


def _sent(server: Server, data: bytes) -> RawResponse:
    with RawConnection(server) as connection:
        return connection.answer(data)


def _me(server: Server, cookies: str) -> int:
    """The status of asking who is signed in, with these cookies to the byte."""
    return _sent(server, request("GET", "/auth/me", f"Cookie: {cookies}")).status


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_cookie_whose_name_only_looks_like_ours(
    start: Callable[..., Server], open_browser: Callable[..., Browser], prefix: str
) -> None:
    """A page of a sibling domain may plant any name that has no prefix: it signs nobody in, and nobody out."""
    browser = open_browser(start(COOKIE_PREFIX=prefix))
    browser.sign_up()
    ours = f"{prefix}accessToken"
    token = browser.cookies[ours]
    assert _me(browser.server, f"{ours}={token}") == 200
    assert _me(browser.server, f" \t{ours} \t= \t{token}\t ; a=b") == 200
    for character in CONTROLS + LATIN:
        for name in (character + ours, ours + character, f" {character} {ours}"):
            refusal = 401 if character in LATIN else 400
            assert _me(browser.server, f"{name}={token}") == refusal, ascii(name)
            assert _me(browser.server, f"a=b;{name}={token}") == refusal, ascii(name)
            if character in LATIN:
                assert _me(browser.server, f"{name}=planted; {ours}={token}") == 200, ascii(name)
    for character in LATIN:
        assert _me(browser.server, f"{ours}={token}{character}") == 401
        assert _me(browser.server, f"{ours}={character}{token}") == 401


@pytest.mark.parametrize("character", LATIN, ids=ascii)
def test_csrf_cookie_whose_name_only_looks_like_ours(browser: Browser, character: str) -> None:
    """It is no CSRF cookie, and beside ours it is no second one."""
    browser.fetch_csrf()
    ours, body = f"_csrf={browser.cookies['_csrf']}", b'{"email":"nobody@example.com","password":"Secret123!"}'

    def login(cookies: str) -> int:
        headers = (f"Cookie: {cookies}", f"X-CSRF-Token: {browser.csrf}", "Content-Type: application/json")
        length = f"Content-Length: {len(body)}"
        return _sent(browser.server, request("POST", "/auth/login", *headers, length, body=body)).status

    assert login(ours) == 401
    assert login(character + ours) == 403
    assert login(f"{character}_csrf=planted; {ours}; _csrf{character}=planted") == 401


@pytest.mark.parametrize("character", CONTROLS + LATIN, ids=ascii)
def test_other_headers(browser: Browser, character: str) -> None:
    """Types, codings, lengths, hosts and tokens with such a character are not what they would be without it."""
    browser.fetch_csrf()
    body = f'{{"name":"Siam","email":"{new_email()}","password":"{PASSWORD}"}}'.encode()
    good = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-CSRF-Token": browser.csrf,
        "Origin": browser.server.url,
        "Cookie": f"_csrf={browser.cookies['_csrf']}",
    }
    port = f":{browser.server.port}"

    def register(headers: dict[str, str | None]) -> int:
        lines = [f"{name}: {value}" for name, value in headers.items()]
        data = request("POST", "/auth/register", *lines, body=body).replace(
            b"Host: localhost", b"Host: 127.0.0.1" + port.encode()
        )
        return _sent(browser.server, data).status

    for name, value in good.items():
        for spoilt in (f"{character}{value}", f"{value}{character}"):
            assert register(good | {name: spoilt}) in {400, 403, 415}, f"{name}: {spoilt!a}"
    assert register(good) == 201
