"""/dev/mailbox in Chromium."""

from playwright.sync_api import expect

from tests.kit.browser import Browser
from tests.kit.chromium import Tab
from tests.kit.server import Server


def test_a_mail_can_be_read_and_its_link_followed(tab: Tab, server: Server, browser: Browser) -> None:
    """Both forms of the newest mail, the HTML in a frame of its own with its styles; the link leads to the page that
    sets a password. No style of ours or of the mail is refused."""
    email = browser.register()["email"]
    browser.post("/auth/forgot-password", {"email": email})
    server.reset_token_mailed_to(email)
    page = tab.page
    page.goto(f"{server.url}/dev/mailbox")
    newest = page.locator("article").first
    expect(newest).to_contain_text(f"to {email}")
    expect(newest.get_by_role("heading")).to_have_text("Reset your password")
    button = newest.frame_locator("iframe").get_by_role("link", name="Set a new password")
    expect(button).to_have_css("background-color", "rgb(26, 79, 214)")
    newest.get_by_text("Plain text").click()
    expect(newest.locator("pre")).to_contain_text("If it was not you")
    newest.get_by_role("link").first.click()
    expect(page.get_by_label("New password")).to_be_visible()
