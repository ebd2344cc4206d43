"""The examples for nginx and Caddy, run by the real programs in front of an app."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.kit import plain_http
from tests.kit.browser import Browser
from tests.kit.echo_app import EchoApp, echo_app
from tests.kit.example_proxies import example_caddy, example_nginx
from tests.kit.native_client import NativeClient
from tests.kit.ports import free_port
from tests.kit.server import Server
from tests.kit.wire import Wire

HOST = "app.example.com"
PROXIES = {"nginx": example_nginx, "caddy": example_caddy}
FORGED = {
    "X-User-Id": "999",
    "X-User-Role": "admin-999",
    "X-User-Amr": "mfa-999",
    "X-User-Email": "999@example.com",
    "X-User-Name": "999",
    "X-Session-Id": "999",
    "X-Auth-Time": "999",
    "X-Actor-Id": "999",
    "X_User_Id": "999",
    "X-User_Role": "999",
    "x_actor_id": "999",
}


@dataclass
class Site:
    """An app that believes what the headers say, on `port` of a proxy, and the Latchkey that the proxy asks."""

    app: EchoApp
    latchkey: Server
    port: int

    @property
    def origin(self) -> str:
        """The origin of the app, as browsers see it."""
        return f"http://{HOST}:{self.port}"

    def send(
        self, headers: dict[str, str], method: str = "GET", path: str = "/", *, content: bytes = b""
    ) -> httpx.Response:
        """Sends a request of a client to the app's host."""
        sent = {"Host": f"{HOST}:{self.port}"} | headers
        url = f"http://127.0.0.1:{self.port}{path}"
        with plain_http.client(timeout=60) as client:
            return client.request(method, url, content=content or None, headers=sent)


OpenSite = Callable[..., Site]


@pytest.fixture(params=PROXIES)
def open_site(
    request: pytest.FixtureRequest, require: Callable[[str], str], start: Callable[..., Server], tmp_path: Path
) -> Iterator[OpenSite]:
    """Opens a site of each example, with the default rate limit: `open_site()`, `open_site(app_is_listed=True)`."""
    program = require(request.param)
    directory = tmp_path / request.param
    directory.mkdir()
    with ExitStack() as opened:

        def open_one(*, app_is_listed: bool = False) -> Site:
            port = free_port()
            latchkey = start(
                TRUSTED_PROXIES="127.0.0.1",
                RATE_LIMIT="100/15 minutes",
                PUBLIC_URL="http://accounts.example.com",
                CORS_ORIGINS=f"http://{HOST}:{port}" if app_is_listed else "http://www.example.com",
                SIGN_IN_URL="https://accounts.example.com/sign-in",
            )
            app = opened.enter_context(echo_app())
            ports = {"latchkey": latchkey.port, "app": app.port, "port": port}
            opened.enter_context(PROXIES[request.param](program, directory, **ports))
            app.requests.clear()
            return Site(app, latchkey, port)

        yield open_one


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """A site whose origin Latchkey knows from the proxy alone."""
    return open_site()


@pytest.fixture
def browser(site: Site, open_browser: Callable[..., Browser]) -> Browser:
    """Somebody who has signed in."""
    browser = open_browser(site.latchkey)
    browser.sign_up()
    return browser


def cookie(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def seen(response: httpx.Response) -> dict[str, Any]:
    """The request that the app got."""
    assert response.status_code == 200, response.text
    request: dict[str, Any] = response.json()
    return request


def headers_of(request: dict[str, Any], prefix: str = "x-") -> dict[str, str]:
    """Headers that reached the app, by name; each came once."""
    pairs = [(name, value) for name, value in request["headers"] if name.startswith(prefix)]
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def test_a_forged_identity_does_not_reach_the_app(site: Site, browser: Browser) -> None:
    """Neither by a header that Latchkey fills, nor by one that it leaves empty, nor by another spelling."""
    user = browser.get("/auth/me").json()["data"]
    request = seen(site.send({"Cookie": cookie(browser)} | FORGED, path="/reports?x=1"))
    assert (request["method"], request["path"]) == ("GET", "/reports?x=1")
    got = headers_of(request)
    assert (got["x-user-id"], got["x-user-role"], got["x-user-amr"]) == (str(user["id"]), "user", "pwd")
    assert (got["x-user-name"], got.get("x-user-email", ""), got.get("x-actor-id", "")) == ("Siam", "", "")
    assert not [pair for pair in request["headers"] if "999" in pair[1]]
    assert not [pair for pair in request["headers"] if "_" in pair[0]]


def test_the_app_gets_no_tokens(site: Site, browser: Browser) -> None:
    request = seen(site.send({"Cookie": f"theme=dark; {cookie(browser)}"}))
    assert headers_of(request, "cookie") == {}
    assert not [pair for pair in request["headers"] if browser.cookies["accessToken"] in pair[1]]


def test_nobody_else_passes(site: Site, browser: Browser) -> None:
    """The app is not asked at all, and an ended session is over at once."""
    kept = cookie(browser)
    assert site.send({"Cookie": kept}).status_code == 200
    site.app.requests.clear()
    assert site.send(FORGED).status_code == 401
    assert site.send({"Cookie": "accessToken=junk"}).status_code == 401
    assert site.send({"Origin": site.origin}, "POST", content=b"x").status_code == 401
    assert site.send({}, path="/auth/check?role=user").status_code == 401
    browser.post("/auth/logout")
    assert site.send({"Cookie": kept}).status_code == 401
    assert site.app.requests == []


def test_a_change_comes_from_the_apps_own_pages(site: Site, browser: Browser) -> None:
    """A page of a sibling domain is on the same site, so its requests have the cookie. Bodies reach the app whole."""
    large = b"x" * 300_000
    ours = {"Cookie": cookie(browser), "Origin": site.origin}
    assert seen(site.send(ours, "POST", "/orders", content=large))["body"] == len(large)
    site.app.requests.clear()
    for origin in ("http://sibling.example.com", f"https://{HOST}:{site.port}", f"http://{HOST}", "null"):
        assert site.send(ours | {"Origin": origin}, "POST", content=large).status_code == 403, origin
    # A client cannot say for the proxy what it sends, and where to.
    lies = {"X-Forwarded-Method": "GET", "X-Forwarded-Host": "sibling.example.com", "X-Forwarded-Proto": "http"}
    lies |= {"Origin": "http://sibling.example.com"}
    assert site.send(ours | lies, "POST", content=b"x").status_code == 403
    assert site.app.requests == []
    assert site.send({"Cookie": cookie(browser), "Sec-Fetch-Site": "same-origin"}, "DELETE").status_code == 200


def test_a_bearer_token_needs_no_origin(site: Site, browser: Browser, wire: Wire) -> None:
    """A page sends none by itself."""
    phone = NativeClient(site.latchkey, wire)
    phone.login(browser.get("/auth/me").json()["data"]["email"])
    sent = {"Authorization": f"Bearer {phone.access}", "Origin": "http://sibling.example.com"}
    request = seen(site.send(sent, "POST", content=b"{}"))
    assert headers_of(request)["x-user-role"] == "user"
    assert headers_of(request, "authorization") == {}
    refused = site.send({"Authorization": f"Bearer {phone.access}x"}, "POST", content=b"{}")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    phone.close()


def test_the_checks_of_the_proxy_are_not_counted(site: Site, browser: Browser) -> None:
    """More than twice the rate limit, all from the proxy's address."""
    sent = {"Host": f"{HOST}:{site.port}", "Cookie": cookie(browser)}
    with plain_http.client(timeout=60) as client:
        statuses = [client.get(f"http://127.0.0.1:{site.port}/", headers=sent).status_code for _ in range(250)]
    assert set(statuses) == {200}
    assert browser.get("/auth/me").status_code == 200


def test_a_browser_is_sent_to_sign_in(open_site: OpenSite, open_browser: Callable[..., Browser]) -> None:
    """And comes back to the page that it wanted. A script gets 401, and so does a form: its content would be lost."""
    site = open_site(app_is_listed=True)
    opens = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
    sent = site.send(opens, path="/reports?x=1&y=%26")
    assert sent.status_code == 302
    page = urlsplit(sent.headers["location"])
    assert f"{page.scheme}://{page.netloc}{page.path}" == "https://accounts.example.com/sign-in"
    assert parse_qs(page.query) == {"returnTo": [f"{site.origin}/reports?x=1&y=%26"]}
    assert site.send({"Sec-Fetch-Mode": "cors"}).status_code == 401
    assert site.send(opens, "POST", content=b"x" * 300_000).status_code == 401
    assert site.app.requests == []
    browser = open_browser(site.latchkey)
    browser.sign_up()
    assert site.send({"Cookie": cookie(browser)} | opens).status_code == 200


def test_without_latchkey_nobody_passes(site: Site, browser: Browser) -> None:
    """nginx answers 500, and Caddy 502."""
    kept = cookie(browser)
    assert site.send({"Cookie": kept}).status_code == 200
    site.latchkey.kill()
    site.app.requests.clear()
    assert site.send({"Cookie": kept}).status_code in {500, 502}
    assert site.app.requests == []


def test_a_proxy_that_is_not_trusted(
    start: Callable[..., Server], open_browser: Callable[..., Browser], require: Callable[[str], str], tmp_path: Path
) -> None:
    """Nothing passes by cookies, and the log says what to do: so a forgotten setting is found at the first request."""
    latchkey, port = start(), free_port()
    browser = open_browser(latchkey)
    browser.sign_up()
    with (
        echo_app() as app,
        example_nginx(require("nginx"), tmp_path, latchkey=latchkey.port, app=app.port, port=port),
    ):
        site = Site(app, latchkey, port)
        assert site.send({"Cookie": cookie(browser)}).status_code == 403
        assert "TRUSTED_PROXIES" in latchkey.printed()
