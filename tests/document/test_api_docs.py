"""/api-docs in Chromium: every request that a newcomer tries first, by clicking."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.kit.browser import PASSWORD, new_email
from tests.kit.chromium import Tab
from tests.kit.native_client import NativeClient
from tests.kit.server import Server


def test_an_account_can_be_lived_by_clicking(tab: Tab, server: Server, tmp_path: Path) -> None:
    """The page works as it is served: CSRF token and cookies travel without anybody thinking of them."""
    page = _open(tab, server)
    email = new_email()
    account = {"name": "Siam", "email": email, "password": PASSWORD}

    assert _execute(page, "get", "/users") == 401
    assert _execute(page, "post", "/auth/register", account) == 201
    user = _answer(page, "post", "/auth/register")["data"]["user"]
    me = {"id": str(user["id"])}
    assert _execute(page, "post", "/auth/register", account) == 409
    assert _execute(page, "post", "/auth/login", {"email": email, "password": PASSWORD}) == 200
    assert _execute(page, "get", "/users") == 200
    assert user in _answer(page, "get", "/users")["data"]
    assert _execute(page, "patch", "/users/{id}", {"name": "Renamed"}, me) == 200
    assert _answer(page, "patch", "/users/{id}")["data"] == user | {"name": "Renamed"}
    assert _execute(page, "delete", "/users/{id}", parameters=me) == 200
    assert _execute(page, "get", "/auth/me") == 401
    page.screenshot(path=tmp_path / "apidocs.png")


def test_a_bearer_token_can_be_tried_by_clicking(tab: Tab, server: Server, native: NativeClient) -> None:
    """A page that is signed in by cookies, too, sends the token alone: with both it would get 400."""
    page = _open(tab, server)
    one, other = ({"name": name, "email": new_email(), "password": PASSWORD} for name in ("One", "Other"))
    for account in (one, other):
        assert _execute(page, "post", "/auth/register", account) == 201
    assert _execute(page, "post", "/auth/login", {"email": one["email"], "password": PASSWORD}) == 200
    native.login(other["email"])

    page.locator("button.authorize").first.click()
    dialog = page.locator(".dialog-ux")
    headings = dialog.locator(".auth-container h4")
    expect(headings).to_contain_text(["cookieAuth", "bearerAuth", "apiKey", "refreshCookie", "csrfToken"])
    bearer = dialog.locator(".auth-container").filter(has=page.locator("h4", has_text="bearerAuth"))
    bearer.locator("input").fill(native.access)
    bearer.locator("button.authorize").click()
    dialog.locator("button.close-modal").click()

    assert _execute(page, "get", "/auth/me") == 200
    assert _answer(page, "get", "/auth/me")["data"]["name"] == "Other"
    me = {"id": str(_answer(page, "get", "/auth/me")["data"]["id"])}
    assert _execute(page, "patch", "/users/{id}", {"name": "Renamed"}, me) == 200
    assert _execute(page, "post", "/auth/logout") == 200
    assert native.get("/auth/me").status_code == 401


def test_lists_every_operation_of_the_document(tab: Tab, server: Server) -> None:
    """What is documented can be found and tried, under the heading of its tag."""
    page = _open(tab, server)
    document = page.request.get(f"{server.url}/openapi.json").json()
    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in document["paths"].values()))
    expect(page.locator(".opblock-tag a span")).to_have_text([tag["name"] for tag in document["tags"]])


def _open(tab: Tab, server: Server) -> Page:
    tab.page.goto(f"{server.url}/api-docs")
    tab.page.locator(".opblock").first.wait_for()
    return tab.page


def _operation(page: Page, method: str, path: str) -> Locator:
    name = page.locator(f'.opblock-summary-path[data-path="{path}"]')
    return page.locator(f".opblock-{method}").filter(has=name)


def _execute(page: Page, method: str, path: str, body: object = None, parameters: dict[str, str] | None = None) -> int:
    """Opens an operation, fills it in, executes it; the status that the page then shows."""
    block = _operation(page, method, path)
    control = block.locator(".opblock-summary-control")
    if control.get_attribute("aria-expanded") != "true":
        control.click()
    block.locator("button.execute").wait_for()
    if block.locator("button.btn-clear").count():
        # Else the status of the last time would be read for this one's.
        block.locator("button.btn-clear").click()
    for name, value in (parameters or {}).items():
        block.locator(f'tr[data-param-name="{name}"] input').fill(value)
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.locator("button.execute").click()
    return int(block.locator(".live-responses-table tr.response .response-col_status").inner_text().split()[0])


def _answer(page: Page, method: str, path: str) -> dict[str, Any]:
    """The body that the page shows."""
    shown = _operation(page, method, path).locator(".live-responses-table tr.response .highlight-code code")
    body: dict[str, Any] = json.loads(shown.first.inner_text())
    return body
