"""The access cookie of a domain: every host below it gets that cookie, and no other one."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser
from tests.kit.server import Server

DOMAIN = "example.com"
REMOVED, SET = "0", "900"
# Name, domain and lifetime of each Set-Cookie line, in order.
ACCESS = [("accessToken", "", REMOVED), ("accessToken", DOMAIN, SET)]
GONE = [("accessToken", "", REMOVED), ("accessToken", DOMAIN, REMOVED), ("refreshToken", "", REMOVED)]


@pytest.fixture
def browser(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> Browser:
    """A browser on a Latchkey with COOKIE_DOMAIN."""
    return open_browser(start(PUBLIC_URL="http://accounts.example.com", COOKIE_DOMAIN=DOMAIN))


def lines(browser: Browser) -> list[tuple[str, str, str]]:
    """The Set-Cookie lines of the latest answer, without the ones that remove twins of narrower paths."""
    assert all(cookie["samesite"] == "Strict" and cookie["httponly"] for cookie in browser.set_cookies)
    return [(each.key, each["domain"], each["max-age"]) for each in browser.set_cookies if each["path"] == "/"]


def test_each_cookie_removes_its_twin(browser: Browser) -> None:
    """A cookie without the domain is another one: browsers would send both, and two let nobody in."""
    user = browser.register()
    assert lines(browser) == []
    browser.fetch_csrf()
    assert lines(browser) == []
    browser.login(user["email"])
    assert lines(browser) == [*ACCESS, ("refreshToken", "", "604800"), ("knownDevice", "", "34560000")]
    browser.post("/auth/refresh-token")
    assert lines(browser) == [*ACCESS, ("refreshToken", "", "604800")]
    browser.post("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": "Changed456!"})
    assert lines(browser) == [*ACCESS, ("refreshToken", "", "604800")]
    assert browser.get("/auth/me").status_code == 200
    browser.post("/auth/logout")
    assert lines(browser) == GONE
    assert browser.get("/auth/me").status_code == 401


def test_the_csrf_cookie_stays_on_its_host(browser: Browser) -> None:
    """A host below the domain could plant another one."""
    browser.get("/auth/csrf-token")
    assert lines(browser) == [("_csrf", "", "")]


def test_ending_the_current_session(browser: Browser) -> None:
    browser.sign_up()
    [session] = browser.get("/auth/sessions").json()["data"]
    browser.delete(f"/auth/sessions/{session['id']}")
    assert lines(browser) == GONE


def test_until_the_browser_closes(browser: Browser) -> None:
    user = browser.register()
    browser.post("/auth/login", {"email": user["email"], "password": PASSWORD, "remember": False})
    access = [("accessToken", "", REMOVED), ("accessToken", DOMAIN, ""), ("refreshToken", "", "")]
    assert lines(browser)[:3] == access
