"""GET /: the page for visitors of the service itself."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.kit.chromium import Tab
from tests.kit.server import Server

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
RETURN_URL = """https://app.example.com/"><script>alert('&amp;')</script>?a=1&copy=2#/start"""
PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_is_html_for_everybody(server: Server, accept: str) -> None:
    """Small, without a script, under a policy that lets nothing in but our style."""
    answer = httpx.get(f"{server.url}/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers.get_list("content-security-policy") == [POLICY]
    assert len(answer.content) < 4096
    assert "<script" not in answer.text
    assert "style=" not in answer.text


def test_every_link_leads_somewhere(tab: Tab, server: Server) -> None:
    """In development the mailbox is one of them."""
    tab.page.goto(server.url)
    links = tab.page.get_by_role("link").all()
    paths = [link.get_attribute("href") or "" for link in links]
    assert paths == ["/api-docs", "/openapi.json", "/client.js", "/dev/mailbox"]
    assert [httpx.get(server.url + path).status_code for path in paths] == [200] * 4
    links[0].click()
    expect(tab.page).to_have_url(f"{server.url}/api-docs")


def test_in_production(start: Callable[..., Server]) -> None:
    """Links no mailbox, which does not exist there; links the app, if it is set, as escaped text."""
    page = httpx.get(start(**PRODUCTION, RETURN_URL=RETURN_URL).url).text
    assert "mailbox" not in page.lower()
    assert RETURN_URL not in page
    assert "<script" not in page


def test_leads_to_the_app(tab: Tab, start: Callable[..., Server]) -> None:
    """The first of the links, for those who are not developers."""
    tab.page.goto(start(RETURN_URL=RETURN_URL).url)
    expect(tab.page.get_by_role("link").first).to_have_text("Go to the app")
    expect(tab.page.get_by_role("link").first).to_have_attribute("href", RETURN_URL)


@pytest.mark.parametrize("path", ["/", "/reset-password#token=1", "/verify-email#token=1", "/verify-email"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(tab: Tab, server: Server, path: str, scheme: Any) -> None:
    """Fits the narrowest of screens, and the reader's light or dark."""
    tab.page.set_viewport_size({"width": 320, "height": 568})
    tab.page.emulate_media(color_scheme=scheme)
    tab.page.goto(server.url + path)
    expect(tab.page.get_by_role("heading").first).to_be_visible()
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") == 320
    background, text = (
        ("rgb(16, 18, 22)", "rgb(233, 235, 239)") if scheme == "dark" else ("rgb(244, 245, 248)", "rgb(27, 29, 34)")
    )
    expect(tab.page.locator("body")).to_have_css("background-color", background)
    expect(tab.page.locator("body")).to_have_css("color", text)
