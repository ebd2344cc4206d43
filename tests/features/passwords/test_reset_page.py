"""The page that a reset link opens, in Chromium."""

import json
from collections.abc import Callable
from secrets import token_hex

import pytest
from playwright.sync_api import Page, expect

from tests.kit import plain_http
from tests.kit.browser import PASSWORD, Browser
from tests.kit.chromium import Tab
from tests.kit.server import Server

NEW_PASSWORD = "Changed456!"
USED = "This link has been used or is too old. Ask for a new one."
SET = "Your password is set. You can sign in with it now."


@pytest.fixture
def email(browser: Browser) -> str:
    """The address of a user who has asked for a reset link."""
    email: str = browser.register()["email"]
    assert browser.post("/auth/forgot-password", {"email": email}).status_code == 200
    return email


@pytest.fixture
def link(server: Server, email: str) -> str:
    """The link in the mail, as this server has it."""
    return f"{server.url}/reset-password#token={server.reset_token_mailed_to(email)}"


def test_sets_a_password_once(tab: Tab, browser: Browser, email: str, link: str) -> None:
    """The whole recovery: errors are shown, the new password works, the old one does not, and the link is spent."""
    page = _open(tab, link)
    _submit(page, "short")
    expect(page.get_by_role("status")).to_contain_text("The password must be at least")
    assert browser.login(email).status_code == 200, "a refused password changes nothing"

    _submit(page, NEW_PASSWORD)
    expect(page.get_by_role("status")).to_have_text(SET)
    expect(page.get_by_label("New password")).to_be_hidden()
    assert browser.login(email, NEW_PASSWORD).status_code == 200
    assert browser.login(email, PASSWORD).status_code == 401

    page = _open(tab, link)
    _submit(page, "Another789!")
    expect(page.get_by_role("status")).to_have_text(USED)
    assert browser.login(email, NEW_PASSWORD).status_code == 200


def test_the_token_leaves_address_bar_and_history(tab: Tab, server: Server, link: str) -> None:
    """The token is neither in the address bar nor in the history."""
    page = _open(tab, link)
    expect(page).to_have_url(f"{server.url}/reset-password")
    tab.page.goto(f"{server.url}/healthz")
    page.go_back()
    expect(page).to_have_url(f"{server.url}/reset-password")
    expect(page.get_by_role("status")).to_contain_text("not complete")


@pytest.mark.parametrize("path", ["reset-password", "verify-email"])
def test_another_link_in_the_same_tab(tab: Tab, server: Server, path: str) -> None:
    """A new link, opened where the old one failed, replaces it: to a browser both are the same document."""
    tab.page.goto(f"{server.url}/{path}")
    expect(tab.page.get_by_role("status")).to_contain_text("not complete")
    tab.page.goto(f"{server.url}/{path}#token=another")
    expect(tab.page.get_by_role("button")).to_be_visible()
    expect(tab.page).to_have_url(f"{server.url}/{path}")


def test_confirms_an_address_once(tab: Tab, browser: Browser, server: Server) -> None:
    """The other link page: opening spends nothing. A click verifies the address and spends the link."""
    email = browser.register()["email"]
    assert browser.post("/auth/verify-email/request", {"email": email}).status_code == 200
    link = f"{server.url}/verify-email#token={server.reset_token_mailed_to(email)}"
    for outcome in ("Your e-mail address is confirmed.", USED):
        page = _open(tab, link)
        expect(page).to_have_url(f"{server.url}/verify-email")
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_have_text(outcome)


@pytest.mark.parametrize(
    "fragment",
    [
        "token={token}",
        "token%3D{token}",
        "token%3d{token}",
        "%74%6F%6b%65%6e%3D{token}",
        "token%253D{token}",
        "token%25253D{token}",
        "%23token%3D{token}",
        "token%3D{token}%26utm_source%3Dnews%26utm_medium%3Dmail",
        "token={token}&utm_source=news&token=other",
        "token={token}&amp;utm_source=news",
        "utm_source=news&token={token}",
        "utm_source%3Dnews%26token%3D{token}",
        "my-token=other&access_token=other&token={token}",
        "token={token}?utm_source=news",
        "/?token={token}",
        "token={token}.",
        "token={token}),",
        "token={token}%3E",
        "token={token}%2E",
        "token={token}%E2%80%9D",
        "token={token}%",
        "token={token}#",
        "token={token}_",
        "token=%20{token}%0A",
        "Token={token}",
    ],
)
def test_what_mail_systems_make_of_a_link(tab: Tab, server: Server, fragment: str) -> None:
    """Encoded, once or more often, and with something of theirs before or behind: the token is found, and sent as it
    was."""
    token = token_hex(32)
    page = _open(tab, f"{server.url}/reset-password#{fragment.format(token=token)}")
    with page.expect_request("**/auth/reset-password") as sent:
        _submit(page, NEW_PASSWORD)
    assert json.loads(sent.value.post_data or "")["token"] == token
    expect(page).to_have_url(f"{server.url}/reset-password")
    expect(page.get_by_role("status")).to_have_text(USED)


@pytest.mark.parametrize("fragment", ["", "token", "token=", "token%3D", "token=&x=1", "token=%%%", "%25" * 2000])
def test_fragments_without_a_token(tab: Tab, server: Server, fragment: str) -> None:
    """Said at once, however odd."""
    page = _open(tab, f"{server.url}/reset-password#{fragment}")
    expect(page.get_by_role("status")).to_contain_text("This link is not complete")


def test_an_encoded_link_confirms_an_address(tab: Tab, browser: Browser, server: Server) -> None:
    """The other page reads its link in the same way."""
    email = browser.register()["email"]
    assert browser.post("/auth/verify-email/request", {"email": email}).status_code == 200
    page = _open(tab, f"{server.url}/verify-email#token%3D{server.reset_token_mailed_to(email)}%26utm_source%3Dmail")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("Your e-mail address is confirmed.")


def test_opening_the_link_spends_nothing(tab: Tab, link: str) -> None:
    """Mail scanners follow links, some of them in a browser; the user comes after them."""
    assert plain_http.get(link).status_code == 200
    scanner = _open(tab, link)
    expect(scanner.get_by_label("New password")).to_be_visible()
    page = _open(tab, link)
    _submit(page, NEW_PASSWORD)
    expect(page.get_by_role("status")).to_have_text(SET)


def test_a_link_without_token_is_not_asked_a_password_for(tab: Tab, server: Server) -> None:
    """A mail program may cut a link short. The user learns it before they choose a password."""
    page = _open(tab, f"{server.url}/reset-password")
    expect(page.get_by_role("status")).to_contain_text("This link is not complete")
    expect(page.get_by_label("New password")).to_be_hidden()


def test_the_way_on(tab: Tab, start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """RETURN_URL: a link to the app, only when the page is done. Its text is escaped."""
    return_url = """http://localhost:5173/"><script>alert('&amp;')</script>?a=1&copy=2#/start"""
    server = start(RETURN_URL=return_url)
    browser = open_browser(server)
    email = browser.register()["email"]
    browser.post("/auth/forgot-password", {"email": email})
    way_on = tab.page.get_by_role("link")
    page = _open(tab, f"{server.url}/reset-password#token={server.reset_token_mailed_to(email)}")
    _submit(page, "short")
    expect(page.get_by_role("status")).to_contain_text("must be at least")
    expect(way_on).to_be_hidden()
    _submit(page, NEW_PASSWORD)
    expect(way_on).to_have_text("Go to the app")
    assert way_on.get_attribute("href") == return_url
    browser.post("/auth/verify-email/request", {"email": email})
    page = _open(tab, f"{server.url}/verify-email#token={server.reset_token_mailed_to(email)}")
    expect(way_on).to_be_hidden()
    page.get_by_role("button").click()
    expect(way_on).to_have_text("Go to the app")
    for path in ("reset-password", "verify-email"):
        _open(tab, f"{server.url}/{path}")
        expect(way_on).to_have_attribute("href", return_url)


@pytest.mark.parametrize("path", ["reset-password", "verify-email"])
def test_no_way_on_is_made_up(tab: Tab, server: Server, path: str) -> None:
    """RETURN_URL is not set."""
    page = _open(tab, f"{server.url}/{path}")
    expect(page.get_by_role("status")).to_contain_text("This link is not complete")
    expect(page.locator("a")).to_have_count(0)


def _open(tab: Tab, url: str) -> Page:
    # From another page: a new fragment alone would not load this one anew.
    tab.page.goto("about:blank")
    tab.page.goto(url)
    return tab.page


def _submit(page: Page, password: str) -> None:
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Set password").click()
