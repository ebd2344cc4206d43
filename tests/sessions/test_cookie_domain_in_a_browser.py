"""Which hosts get the cookies, in Chromium: Latchkey, a page and an API on three hosts of one site."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

import pytest

from tests.kit import plain_http
from tests.kit.browser import PASSWORD, new_email
from tests.kit.chromium import Tab
from tests.kit.joined_http_server import JoinedHttpServer
from tests.kit.server import Server

Hosts = Callable[[str], str]
SIGN_IN = """async ([url, email, password]) => {
  const { createClient } = await import(`${url}/client.js`);
  window.auth = createClient({ baseUrl: url });
  await auth.register({ name: "Siam", email, password }).catch(() => null);
  return (await auth.login({ email, password })).email;
}"""


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Serves, on every host of example.com, a page, and an API that answers with the cookies that it got:
    `hosts("app")` is an origin."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if origin := self.headers["Origin"]:
                self.send_header("Access-Control-Allow-Origin", origin)
                self.send_header("Access-Control-Allow-Credentials", "true")
            self.send_header("Content-Type", "text/html" if self.path == "/" else "application/json")
            self.end_headers()
            self.wfile.write(b"" if self.path == "/" else json.dumps(self.headers["Cookie"] or "").encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 its name in the base class
            """Says nothing."""

    with JoinedHttpServer(("127.0.0.1", 0), Echo) as served:
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield lambda name: f"http://{name}.example.com:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.fixture
def accounts(start: Callable[..., Server], hosts: Hosts) -> Callable[..., tuple[str, Server]]:
    """Starts Latchkey on accounts.example.com: its URL there, and the server."""

    def start_one(**settings: str) -> tuple[str, Server]:
        # The port is not known before. Only the page calls, whose origin is listed.
        server = start(PUBLIC_URL="http://accounts.example.com", CORS_ORIGINS=hosts("app"), **settings)
        return f"http://accounts.example.com:{server.port}", server

    return start_one


def cookies_at(tab: Tab, origin: str) -> list[str]:
    """The cookies that an API there gets from the page, as `name=value`."""
    header: str = tab.page.evaluate("(url) => auth.fetch(url).then((answer) => answer.json())", f"{origin}/api")
    return [each for each in header.split("; ") if each]


def names(cookies: list[str]) -> list[str]:
    return [cookie.partition("=")[0] for cookie in cookies]


def test_every_host_of_the_domain_gets_the_access_cookie(
    tab: Tab, accounts: Callable[..., tuple[str, Server]], hosts: Hosts
) -> None:
    """An API there can tell who asks. Nothing that renews a session leaves Latchkey's host."""
    url, server = accounts(COOKIE_DOMAIN="example.com", TRUSTED_PROXIES="127.0.0.1")
    tab.page.goto(hosts("app"))
    email = new_email()
    assert tab.page.evaluate(SIGN_IN, [url, email, PASSWORD]) == email
    for name in ("app", "api", "a.b"):
        cookies = cookies_at(tab, hosts(name))
        assert names(cookies) == ["accessToken"], name
        asked = {"Cookie": "; ".join(cookies), "X-Forwarded-Method": "GET"}
        checked = plain_http.get(f"{server.url}/auth/check", headers=asked)
        assert (checked.status_code, checked.headers["x-user-role"]) == (204, "user")
    tab.page.evaluate("auth.request('POST', '/auth/refresh-token')")
    assert names(cookies_at(tab, hosts("api"))) == ["accessToken"]
    tab.page.evaluate("auth.logout()")
    assert cookies_at(tab, hosts("api")) == []


def test_without_it_only_latchkeys_host_does(
    tab: Tab, accounts: Callable[..., tuple[str, Server]], hosts: Hosts
) -> None:
    """Signing in works, and an API on another host gets nothing. At any port of Latchkey's own host it gets all."""
    url, _ = accounts()
    tab.page.goto(hosts("app"))
    assert tab.page.evaluate(SIGN_IN, [url, new_email(), PASSWORD])
    assert tab.page.evaluate("auth.me()")
    for name in ("app", "api"):
        assert cookies_at(tab, hosts(name)) == [], name
    assert {"accessToken", "refreshToken"} <= set(names(cookies_at(tab, hosts("accounts"))))


def test_turning_it_on_leaves_one_cookie(tab: Tab, accounts: Callable[..., tuple[str, Server]], hosts: Hosts) -> None:
    """Somebody who signed in before goes on: the first refresh replaces the cookie of the host alone."""
    before, _ = accounts()
    tab.page.goto(hosts("app"))
    email = new_email()
    tab.page.evaluate(SIGN_IN, [before, email, PASSWORD])
    url, _ = accounts(COOKIE_DOMAIN="example.com")
    assert (
        tab.page.evaluate(
            """async (url) => {
          const { createClient } = await import(`${url}/client.js`);
          window.auth = createClient({ baseUrl: url });
          await auth.request("POST", "/auth/refresh-token");
          return (await auth.me()).email;
        }""",
            url,
        )
        == email
    )
    assert names(cookies_at(tab, hosts("accounts"))).count("accessToken") == 1
    assert names(cookies_at(tab, hosts("api"))) == ["accessToken"]
    tab.page.evaluate("auth.logout()")
    assert "accessToken" not in names(cookies_at(tab, hosts("accounts")))
