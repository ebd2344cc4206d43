"""A page elsewhere changes nothing in the app with the cookie of the app's user."""

from collections.abc import Callable

import httpx
import pytest

from tests.kit.asking_proxy import ACCOUNTS, APP, LISTED, SIBLING
from tests.kit.browser import Browser
from tests.kit.server import Server


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get", None])
def test_changes_need_a_page_of_ours(visitor: Browser, ask: Callable[..., httpx.Response], method: str | None) -> None:
    """The app's own pages, Latchkey's, and those in CORS_ORIGINS. A proxy that does not tell the method asks for any."""
    visitor.sign_up()
    for ours in (APP, ACCOUNTS, LISTED):
        assert ask("", method, Origin=ours).status_code == 204, ours
    for other in (
        SIBLING,
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
        "",
        f"{APP}/",
        f"{APP}, {APP}",
    ):
        assert ask("", method, Origin=other).status_code == 403, other
        assert ask("", method, Origin=other, Sec_Fetch_Site="same-origin").status_code == 403, other
    assert ask("", method, Sec_Fetch_Site="same-origin").status_code == 204
    for site in ("same-site", "cross-site", "none", None):
        assert ask("", method, Sec_Fetch_Site=site).status_code == 403, site


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_none(visitor: Browser, ask: Callable[..., httpx.Response], method: str) -> None:
    visitor.sign_up()
    assert ask("", method, Origin=SIBLING, Sec_Fetch_Site="same-site").status_code == 204
    assert ask("", method).status_code == 204


def test_nobody_is_told_who_may_not(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """Whoever is not signed in gets 401 from everywhere, so that a client renews its token."""
    assert ask("", "POST", Origin=SIBLING, cookies={}).status_code == 401
    visitor.sign_up()
    assert ask("", "POST", Origin=SIBLING).status_code == 403


@pytest.mark.parametrize(
    ("proto", "host", "origin", "status"),
    [
        ("https", "app.example.com:443", APP, 204),
        ("https", "APP.example.com", APP, 204),
        ("http", "app.example.com", APP, 403),
        ("https", "app.example.com:8443", APP, 403),
        ("https", None, APP, 403),
        (None, "app.example.com", APP, 403),
        ("https", "app.example.com, sibling.example.com", SIBLING, 403),
        ("https,https", "sibling.example.com", SIBLING, 403),
        ("https", "sibling.example.com/", SIBLING, 403),
        ("https", "user@sibling.example.com", SIBLING, 403),
    ],
)
def test_the_apps_own_origin(
    visitor: Browser, ask: Callable[..., httpx.Response], proto: str | None, host: str | None, origin: str, status: int
) -> None:
    """As one proxy tells it. Two values would be those of two proxies, or of a stranger."""
    visitor.sign_up()
    asked = ask("", "POST", Origin=origin, X_Forwarded_Proto=proto, X_Forwarded_Host=host)
    assert asked.status_code == status


def test_a_stranger_is_believed_nothing(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """Whoever is not in TRUSTED_PROXIES may have written the headers. Its checks count, and the log says so once."""
    server = start(RATE_LIMIT="8/minute", CORS_ORIGINS=LISTED)
    browser = open_browser(server)
    browser.sign_up()
    told = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.com"}
    assert browser.get("/auth/check", headers=told).status_code == 403
    assert browser.get("/auth/check", headers=told | {"Origin": APP}).status_code == 403
    passed = browser.get("/auth/check", headers=told | {"Origin": LISTED})
    assert (passed.status_code, passed.headers["ratelimit-limit"]) == (204, "8")
    statuses = [browser.get("/auth/check", headers={"Origin": LISTED}).status_code for _ in range(4)]
    assert statuses == [204, 204, 429, 429]
    assert server.printed().count("its sender is not in TRUSTED_PROXIES") == 1
    assert server.printed().count("refused: its Origin is not the app's") == 2


def test_a_trusted_proxy_is_not_counted(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """All its checks come from one address, and each request of the app is one."""
    visitor.sign_up()
    answers = [ask() for _ in range(100)]
    assert {answer.status_code for answer in answers} == {204}
    assert not any(name.startswith("ratelimit") for answer in answers for name in answer.headers)
    assert int(visitor.get("/auth/me").headers["ratelimit-remaining"]) > 50


def test_own_origin_without_public_url(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """Then Latchkey's own origin is that of the Host that the proxy sends."""
    browser = open_browser(start(TRUSTED_PROXIES="127.0.0.1"))
    browser.sign_up()
    asked = {"X-Forwarded-Method": "POST", "Host": "accounts.example.com"}
    assert browser.get("/auth/check", headers=asked | {"Origin": ACCOUNTS}).status_code == 204
    assert browser.get("/auth/check", headers=asked | {"Origin": APP}).status_code == 403
