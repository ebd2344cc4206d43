"""`remember: false`: the browser forgets the session when it closes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.answers import ACCESS_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE, Attributes, claims_of, cookies_set
from tests.kit.browser import PASSWORD, Browser, bad_fields, new_email
from tests.kit.forging import refresh_with
from tests.kit.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import BrowserContext

NEW_PASSWORD = "Changed456!"
UNTIL_CLOSED: Attributes = {name: value for name, value in ACCESS_COOKIE.items() if name != "max-age"}


def tokens_set(browser: Browser) -> tuple[Attributes, Attributes]:
    """The attributes of both token cookies that the latest answer set."""
    cookies = cookies_set(browser)
    return cookies["accessToken"], cookies["refreshToken"]


def sign_in(browser: Browser, email: str, password: str = PASSWORD, **more: Any) -> None:
    answer = browser.post("/auth/login", {"email": email, "password": password, **more})
    assert answer.status_code == 200, answer.text


def test_the_cookies_end_with_the_browser(browser: Browser) -> None:
    """Through refreshes and a change of password, too. The device stays known: that opens nothing."""
    user = browser.register()
    sign_in(browser, user["email"], remember=False)
    assert tokens_set(browser) == (UNTIL_CLOSED, UNTIL_CLOSED)
    assert cookies_set(browser)["knownDevice"] == DEVICE_COOKIE
    for _ in range(2):
        assert browser.post("/auth/refresh-token").status_code == 200
        assert tokens_set(browser) == (UNTIL_CLOSED, UNTIL_CLOSED)
    passwords = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    assert browser.post("/auth/change-password", passwords).status_code == 200
    assert tokens_set(browser) == (UNTIL_CLOSED, UNTIL_CLOSED)
    assert browser.post("/auth/refresh-token").status_code == 200
    assert tokens_set(browser) == (UNTIL_CLOSED, UNTIL_CLOSED)
    sign_in(browser, user["email"], NEW_PASSWORD, remember=True)
    assert tokens_set(browser) == (ACCESS_COOKIE, REFRESH_COOKIE)


@pytest.mark.parametrize("given", [{}, {"remember": True}])
def test_otherwise_they_are_kept(browser: Browser, given: dict[str, Any]) -> None:
    user = browser.register()
    sign_in(browser, user["email"], **given)
    assert tokens_set(browser) == (ACCESS_COOKIE, REFRESH_COOKIE)
    browser.post("/auth/refresh-token")
    assert tokens_set(browser) == (ACCESS_COOKIE, REFRESH_COOKIE)


def test_only_the_refresh_token_knows(browser: Browser) -> None:
    """Apps read access tokens, and it is no matter of theirs. A token that says nothing is of a session that is kept."""
    user = browser.register()
    sign_in(browser, user["email"], remember=False)
    assert claims_of(browser.cookies["refreshToken"])["rem"] is False
    assert "rem" not in claims_of(browser.cookies["accessToken"])
    sign_in(browser, user["email"])
    assert "rem" not in claims_of(browser.cookies["refreshToken"])


@pytest.mark.parametrize("value", ["false", 0, None, "", []])
def test_a_word_is_no_choice(browser: Browser, value: Any) -> None:
    """A string "false" would be taken for true by half of all programs."""
    user = browser.register()
    answer = browser.post("/auth/login", {"email": user["email"], "password": PASSWORD, "remember": value})
    assert bad_fields(answer) == {"remember"}


def test_an_answer_that_was_lost_comes_again_with_the_same_cookies(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    browser = open_browser(start(REFRESH_LEEWAY_SECONDS="60"))
    user = browser.register()
    sign_in(browser, user["email"], remember=False)
    lost = browser.cookies["refreshToken"]
    browser.post("/auth/refresh-token")
    again = refresh_with(browser, lost)
    assert again.status_code == 200
    assert tokens_set(browser) == (UNTIL_CLOSED, UNTIL_CLOSED)


@pytest.mark.parametrize("remember", [True, False])
def test_in_a_browser_that_is_closed(
    chromium: "Chromium",
    require: Callable[[str], str],
    server: Server,
    browser: Browser,
    tmp_path: Path,
    remember: bool,
) -> None:
    """After it starts again on the same profile, a shared computer has no session, and one's own still has."""
    program, email = require("chromium"), new_email()
    browser.register(email)

    def open_profile() -> "BrowserContext":
        return chromium.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )

    who = """async ([url, credentials]) => {
      const { createClient } = await import(`${url}/client.js`);
      const auth = createClient();
      if (credentials) await auth.request("POST", "/auth/login", credentials);
      await auth.me();
      await auth.request("POST", "/auth/refresh-token").catch(() => null);
      return (await auth.me())?.email;
    }"""
    for credentials, expected in (
        ({"email": email, "password": PASSWORD, "remember": remember}, email),
        (None, email if remember else None),
    ):
        profile = open_profile()
        page = profile.new_page()
        page.goto(f"{server.url}/reset-password")
        assert page.evaluate(who, [server.url, credentials]) == expected
        profile.close()
