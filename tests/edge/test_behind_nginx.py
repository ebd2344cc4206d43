"""Under a path of the app's own host, behind a real nginx: ROOT_PATH, as docs/operations.md sets it up."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.kit import plain_http
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.chromium import Tab
from tests.kit.nginx import Nginx
from tests.kit.ports import free_port
from tests.kit.server import Server
from tests.kit.wire import Wire

ROOT = "/accounts"


@pytest.fixture(params=[False, True], ids=["path kept", "path stripped"])
def nginx(
    request: pytest.FixtureRequest, require: Callable[[str], str], start: Callable[..., Server], tmp_path: Path
) -> Iterator[Nginx]:
    """nginx, and a server behind it."""
    program, port = require("nginx"), free_port()
    upstream = start(ROOT_PATH=ROOT, PUBLIC_URL=f"http://localhost:{port}{ROOT}", TRUSTED_PROXIES="127.0.0.1")
    running = Nginx(program, tmp_path, port, ROOT, upstream, strips=request.param)
    yield running
    running.stop()


@pytest.fixture
def browser(nginx: Nginx) -> Iterator[Browser]:
    """A browser that comes through nginx."""
    document = plain_http.get(f"{nginx.url}/openapi.json").json()
    assert [server["url"] for server in document["servers"]] == [ROOT]
    opened = Browser(nginx.server, Wire(document), headers={"Origin": f"http://localhost:{urlsplit(nginx.url).port}"})
    yield opened
    opened.close()


def test_the_life_of_an_account(browser: Browser, nginx: Nginx) -> None:
    """Cookies, the origin rule and every route work under the path, and
    outside it the app is served."""
    user = browser.sign_up()
    assert browser.get("/auth/me").json()["data"] == user
    assert browser.post("/auth/refresh-token").status_code == 200
    assert browser.patch(f"/users/{user['id']}", {"name": "Renamed"}).status_code == 200
    assert [each["current"] for each in browser.get("/auth/sessions").json()["data"]] == [True]
    assert refused(browser.get("/nowhere"))[0] == 404
    foreign = browser.post("/auth/logout", headers={"Origin": "https://elsewhere.example"})
    assert refused(foreign)[:2] == (403, "EBADCSRFTOKEN")
    assert browser.post("/auth/logout").status_code == 200
    assert plain_http.get(nginx.url.removesuffix(ROOT) + "/").text == "the app"


def test_clients_are_told_apart(browser: Browser, nginx: Nginx) -> None:
    """What nginx says counts, what a client says does not."""
    user = browser.sign_up()
    browser.login(user["email"])
    sessions = browser.get("/auth/sessions", headers={"X-Forwarded-For": "192.0.2.66"}).json()["data"]
    assert {each["ip"] for each in sessions} == {"127.0.0.1"}
    assert "trusted" not in nginx.server.printed()


def test_pages_and_links(tab: Tab, browser: Browser, nginx: Nginx) -> None:
    """It names the path, and the pages find their scripts and the API there."""
    user = browser.register()
    browser.post("/auth/forgot-password", {"email": user["email"]})
    token = nginx.server.reset_token_mailed_to(user["email"])
    link = f"{nginx.url}/reset-password#token={token}"
    assert link in nginx.server.printed()
    tab.page.goto(link)
    tab.page.get_by_label("New password").fill("Changed456!")
    tab.page.get_by_role("button").click()
    expect(tab.page.get_by_role("status")).to_have_text("Your password is set. You can sign in with it now.")
    assert browser.login(user["email"], "Changed456!").status_code == 200

    other = browser.register(new_email(), password=PASSWORD)
    browser.post("/auth/verify-email/request", {"email": other["email"]})
    token = nginx.server.reset_token_mailed_to(other["email"])
    tab.page.goto(f"{nginx.url}/verify-email#token={token}")
    tab.page.get_by_role("button", name="Confirm").click()
    expect(tab.page.get_by_role("status")).to_have_text("Your e-mail address is confirmed.")

    for front_page in (nginx.url, f"{nginx.url}/"):
        tab.page.goto(front_page)
        expect(tab.page.locator("main")).to_have_css("border-top-style", "solid")
        tab.page.get_by_role("link", name="Mailbox").click()
        expect(tab.page).to_have_url(f"{nginx.url}/dev/mailbox")

    tab.page.goto(f"{nginx.url}/api-docs")
    expect(tab.page.locator(".opblock").first).to_be_visible()
