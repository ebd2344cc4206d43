"""Sign in and come back, in Chromium behind nginx: with the page of docs/forward-auth.md."""

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.kit.browser import PASSWORD, Browser
from tests.kit.chromium import Tab
from tests.kit.echo_app import echo_app
from tests.kit.example_proxies import EXAMPLES, example_nginx
from tests.kit.joined_http_server import JoinedHttpServer
from tests.kit.ports import free_port
from tests.kit.server import Server

DOCUMENT = EXAMPLES.parent / "docs" / "forward-auth.md"
PAGE = """<!doctype html><link rel="icon" href="data:,">
<script type="module">
import {{ createClient }} from "{latchkey}/client.js";
{script}
globalThis.auth = auth;
document.body.append("Sign in");
</script>
"""


@pytest.fixture
def serve_page() -> Iterator[Callable[[str], str]]:
    """Serves a page on localhost: `serve_page(html)` is its URL."""
    html: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html[0].encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 its name in the base class
            """Says nothing."""

    with JoinedHttpServer(("127.0.0.1", 0), Page) as served:
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()

        def serve(text: str) -> str:
            html[:] = [text]
            return f"http://localhost:{served.server_port}/sign-in"

        yield serve
        served.shutdown()
        thread.join()


def documented_script(latchkey: str, app: str) -> str:
    """The script of the document, for these two origins."""
    [script] = re.findall(r"```js\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for old, new in (("https://accounts.example.com", latchkey), ("https://app.example.com", app)):
        assert old in script
        script = script.replace(old, new)
    return str(script)


def test_sign_in_and_come_back(
    tab: Tab,
    require: Callable[[str], str],
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    serve_page: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """Somebody who opens a page of the app signs in and gets that page. When their access token is gone, the page that
    they are sent to renews it without a question."""
    port = free_port()
    app_origin, sign_in_url = f"http://localhost:{port}", serve_page("")
    origins = f"{app_origin},{sign_in_url.removesuffix('/sign-in')}"
    latchkey = start(TRUSTED_PROXIES="127.0.0.1", CORS_ORIGINS=origins, SIGN_IN_URL=sign_in_url)
    url = f"http://localhost:{latchkey.port}"
    serve_page(PAGE.format(latchkey=url, script=documented_script(url, app_origin)))
    user = open_browser(latchkey).register()
    page, wanted = tab.page, f"{app_origin}/reports?from=1&to=2"
    with (
        echo_app() as app,
        example_nginx(require("nginx"), tmp_path, latchkey=latchkey.port, app=app.port, port=port),
    ):
        page.goto(wanted)
        page.wait_for_url(f"{sign_in_url}?returnTo=*")
        page.wait_for_function("() => globalThis.auth")
        page.evaluate("(credentials) => auth.login(credentials)", {"email": user["email"], "password": PASSWORD})
        page.reload()
        page.wait_for_url(wanted)
        seen = json.loads(page.locator("body").inner_text())
        assert (seen["path"], dict(seen["headers"])["x-user-id"]) == ("/reports?from=1&to=2", str(user["id"]))

        page.context.clear_cookies(name="accessToken")
        page.goto(f"{app_origin}/later")
        page.wait_for_url(f"{app_origin}/later")
        assert json.loads(page.locator("body").inner_text())["path"] == "/later"

        elsewhere = f"{sign_in_url}?returnTo=http%3A%2F%2Flocalhost%3A1%2F"
        page.goto(elsewhere)
        page.get_by_text("Sign in").wait_for()
        assert page.url == elsewhere, "a link of a stranger leads nowhere"
