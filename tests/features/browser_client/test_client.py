"""/client.js in Chromium: tabs that share cookies, other origins, and everything that goes wrong on the way."""

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, Route

import latchkey
from latchkey.sessions.claims import TokenKind
from tests.kit import plain_http
from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, new_email
from tests.kit.chromium import Tab
from tests.kit.routes import minted
from tests.kit.server import Server
from tests.kit.stored import Sql, live_sessions

SOURCE = Path(latchkey.__file__).parent / "features" / "browser_client" / "client.js"
NEW_PASSWORD = "Changed456!"
# A page of ours that does nothing by itself and may load our scripts.
EMPTY_PAGE = "/reset-password"
LOAD = """async (url) => {
  const { createClient } = await import(url);
  window.auth = createClient();
  window.told = 0;
  auth.onSignedOut(() => told++);
}"""
REFUSAL = """({ name, message, status, code, retryAfter, errors }) =>
  ({ error: { name, message, status, code, retryAfter, errors } })"""


class Traffic:
    """The requests that the pages of a context sent, as `POST /auth/login`."""

    def __init__(self, context: BrowserContext) -> None:
        self.sent: list[str] = []
        context.on("request", lambda request: self.sent.append(f"{request.method} {_path(request.url)}"))

    def count(self, line: str) -> int:
        """How often that was sent."""
        return self.sent.count(line)

    @property
    def refreshes(self) -> int:
        """How many refreshes were sent."""
        return self.count("POST /auth/refresh-token")


@pytest.fixture
def traffic(tab: Tab) -> Traffic:
    """What is sent from now on."""
    return Traffic(tab.page.context)


@pytest.fixture
def signed_in(tab: Tab, server: Server, traffic: Traffic) -> dict[str, Any]:
    """The user whom `tab`, which has loaded the client, is signed in as."""
    return _sign_up(_load(tab.page, server.url), traffic)


def test_is_small_and_stands_alone(server: Server) -> None:
    """One file that can be read in one go, copied anywhere, and that fetches nothing else; served as it is packaged."""
    source = SOURCE.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 300
    assert not re.search(r"\bimport\b(?!\.meta)|\brequire\(|document\.cookie", source)
    assert plain_http.get(f"{server.url}/client.js").text == source


def test_all_pages_of_sessions(tab: Tab, signed_in: dict[str, Any], sql: Sql) -> None:
    """Each session once, also where the list has several pages."""
    sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at)"
        " SELECT gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), now() + interval '1 day'"
        " FROM generate_series(1, 250)",
        [signed_in["id"]],
    )
    sessions = _value(tab.page, "auth.sessions()")
    assert len({session["id"] for session in sessions}) == len(sessions) == 251
    assert [session["current"] for session in sessions].count(True) == 1


def test_an_account_can_be_lived_with_it(tab: Tab, server: Server) -> None:
    """Every method against the real service: the names, bodies and results that docs/client.md promises."""
    page = _load(tab.page, server.url)
    email = new_email()
    assert _outcome(page, "auth.me()") == {"value": None}
    bad = _outcome(page, "auth.register({ name: ' ', email: 'no', password: 'Secret123!' })")["error"]
    assert (bad["name"], bad["status"], bad["code"]) == ("LatchkeyError", 400, "VALIDATION_ERROR")
    assert {each["field"] for each in bad["errors"]} == {"name", "email"}
    assert bad["message"] == "; ".join(f"{each['field']}: {each['message']}" for each in bad["errors"])
    user = _value(page, f"auth.register({{ name: 'Siam', email: '{email}', password: '{PASSWORD}' }})")
    assert _outcome(page, _login(email, "wrong password"))["error"]["code"] == "UNAUTHORIZED"
    assert _value(page, _login(email)) == user
    assert _value(page, "auth.me()") == user
    assert _value(page, f"auth.request('PATCH', '/users/{user['id']}', {{ name: 'Other' }})")["name"] == "Other"
    wrong = _outcome(page, f"auth.changePassword({{ currentPassword: 'Wrong123!', newPassword: '{NEW_PASSWORD}' }})")
    assert wrong["error"]["message"] == "Current password is incorrect"
    passwords = f"{{ currentPassword: '{PASSWORD}', newPassword: '{NEW_PASSWORD}' }}"
    _value(page, f"auth.changePassword({passwords})")
    (session,) = _value(page, "auth.sessions()")
    assert session["current"] is True
    assert _value(page, "auth.endOtherSessions()") == 0
    _value(page, f"auth.endSession('{session['id']}')")
    assert _value(page, "auth.me()") is None
    _value(page, "auth.logout()")

    _value(page, f"auth.forgotPassword({{ email: '{email}' }})")
    token = server.reset_token_mailed_to(email)
    _value(page, f"auth.resetPassword({{ token: '{token}', newPassword: '{PASSWORD}' }})")
    assert _value(page, _login(email))["id"] == user["id"]
    _value(page, "auth.logout()")
    assert _value(page, "auth.me()") is None


def test_two_tabs_whose_tokens_expire_at_once(
    tab: Tab, server: Server, traffic: Traffic, signed_in: dict[str, Any], sql: Sql
) -> None:
    """The reason for the lock: without it the second refresh would be reuse, and all sessions would end."""
    tabs = [tab.page, _open(tab, server.url)]
    first = _cookies(tab.page.context)["refreshToken"]
    _expire(tab.page.context, server)
    _hold_until_asked(tab.page.context, "**/auth/me", times=2)
    for page in tabs:
        page.evaluate("() => { window.answer = auth.me() }")
    assert [page.evaluate("() => answer") for page in tabs] == [signed_in, signed_in]
    assert traffic.refreshes == 1
    (session,) = live_sessions(sql, signed_in["id"])
    assert bytes(session["parent_hash"]) == hashlib.sha256(first.encode()).digest(), "rotated exactly once"
    assert [_value(page, "auth.me()") for page in tabs] == [signed_in, signed_in]
    assert [page.evaluate("() => told") for page in tabs] == [0, 0]


@pytest.mark.parametrize("lost", ["expired", "gone"])
def test_many_calls_of_one_tab_share_a_refresh(
    tab: Tab, server: Server, traffic: Traffic, signed_in: dict[str, Any], lost: str
) -> None:
    """A page that makes ten requests at once: one refresh, whether the access token is expired or missing."""
    if lost == "expired":
        _expire(tab.page.context, server)
    else:
        tab.page.context.clear_cookies(name="accessToken")
    users = _value(tab.page, "Promise.all(Array.from({ length: 10 }, () => auth.me()))")
    assert users == [signed_in] * 10
    assert traffic.refreshes == 1


def test_front_end_on_another_origin_of_the_site(
    tab: Tab, sites: Callable[[], str], start: Callable[..., Server]
) -> None:
    """As under Vite: the module comes from Latchkey, cookies travel across ports of one host, `fetch` renews for the
    app's own API, and that is sent again with its body, but for a body that is a stream."""
    origin = sites()
    server = start(CORS_ORIGINS=origin)
    traffic = Traffic(tab.page.context)
    tab.page.goto(origin)
    tab.page.evaluate(LOAD, f"http://localhost:{server.port}/client.js")
    user = _sign_up(tab.page, traffic)
    assert _value(tab.page, "auth.me()") == user
    _expire(tab.page.context, server)
    tab.page.context.route(f"{origin}/api", partial(_answer_by_token, server))
    read = ".then(async (answer) => [answer.status, await answer.text()])"
    post = "'/api', { method: 'POST', body: 'paid once' }"
    assert _value(tab.page, f"auth.fetch({post}){read}") == [200, "paid once"]
    assert traffic.refreshes == 1
    assert traffic.count("POST /api") == 2
    _expire(tab.page.context, server)
    assert _value(tab.page, f"auth.fetch(new Request({post})){read}") == [200, "paid once"]
    assert traffic.refreshes == 2


def test_which_hosts_get_the_cookies(tab: Tab, sites: Callable[[], str], start: Callable[..., Server]) -> None:
    """As docs/client.md has it: a page on another host of the domain signs in, and an API gets the cookies on every port
    of Latchkey's host, on no other host."""
    origin = sites().replace("localhost", "app.example.com")
    server = start(CORS_ORIGINS=origin)
    tab.page.goto(origin)
    tab.page.evaluate(LOAD, f"http://accounts.example.com:{server.port}/client.js")
    user = _sign_up(tab.page, Traffic(tab.page.context))
    assert _value(tab.page, "auth.me()") == user
    received: dict[str, bool] = {}

    def answer(route: Route) -> None:
        cookies = route.request.header_value("cookie") or ""
        received[httpx.URL(route.request.url).host] = "accessToken=" in cookies
        allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        route.fulfill(status=200, headers=allowed)

    tab.page.context.route("**/api", answer)
    for api in (origin, "http://api.example.com:8000", "http://accounts.example.com:8000"):
        assert _value(tab.page, f"auth.fetch('{api}/api').then((answer) => answer.status)") == 200
    assert received == {"app.example.com": False, "api.example.com": False, "accounts.example.com": True}


def test_a_stream_is_sent_once(tab: Tab, traffic: Traffic, signed_in: dict[str, Any]) -> None:
    """It has been read by then: the app gets the 401 and decides. HTTP/1.1 takes no stream, so fetch is replaced."""
    assert signed_in
    tab.page.evaluate("() => { window.fetch = async () => new Response(null, { status: 401 }) }")
    sent = "auth.fetch('/api', { method: 'POST', body: new ReadableStream(), duplex: 'half' })"
    assert _value(tab.page, f"{sent}.then((answer) => answer.status)") == 401
    assert traffic.refreshes == 0


def test_lost_csrf_cookie_is_recovered(tab: Tab, traffic: Traffic, signed_in: dict[str, Any]) -> None:
    """A session cookie may expire while the page stays: one new token, however many calls were refused."""
    tab.page.context.clear_cookies(name="_csrf")
    tokens = traffic.count("GET /auth/csrf-token")
    rename = f"auth.request('PATCH', '/users/{signed_in['id']}', {{ name: 'Other' }})"
    assert [each["name"] for each in _value(tab.page, f"Promise.all([{rename}, {rename}])")] == ["Other", "Other"]
    assert traffic.count("GET /auth/csrf-token") == tokens + 1


def test_session_revoked_elsewhere_is_told_once(tab: Tab, server: Server, signed_in: dict[str, Any], sql: Sql) -> None:
    """A refused refresh signs out every tab.

    A page that reloads on each notice must not loop, though the refused cookie stays.
    """
    other = _open(tab, server.url)
    elsewhere = tab.page.context.browser
    assert elsewhere
    _revoke_from_another_browser(elsewhere, server, signed_in)
    assert live_sessions(sql, signed_in["id"])
    refused = _outcome(tab.page, "auth.request('GET', '/users')")["error"]
    assert (refused["status"], refused["code"]) == (401, "INVALID_TOKEN")
    for page in (tab.page, other):
        page.wait_for_function("() => told === 1")
    assert _value(other, "auth.me()") is None
    assert _value(tab.page, "auth.me()") is None
    assert [page.evaluate("() => told") for page in (tab.page, other)] == [1, 1]


@pytest.mark.parametrize("failure", ["network", "503", "429"])
def test_failed_refresh_signs_nobody_out(
    tab: Tab, server: Server, traffic: Traffic, signed_in: dict[str, Any], failure: str
) -> None:
    """Only a refusal means signed out: after a tunnel, a restart or a busy minute the same page goes on."""
    context = tab.page.context
    _expire(context, server)
    context.route("**/auth/refresh-token", partial(_fail, failure))
    error = _outcome(tab.page, "auth.me()")["error"]
    if failure == "network":
        assert error["name"] == "TypeError"
    else:
        assert (error["status"], error["retryAfter"]) == (int(failure), 7)
    assert traffic.refreshes == 1
    # Chromium's own word on an answer that a test made fail.
    assert [problem.startswith("Failed to load resource") for problem in tab.problems] == [True] * len(tab.problems)
    tab.problems.clear()
    context.unroute("**/auth/refresh-token")
    assert _value(tab.page, "auth.me()") == signed_in
    assert tab.page.evaluate("() => told") == 0


def test_logout_reaches_every_tab(tab: Tab, server: Server, signed_in: dict[str, Any]) -> None:
    """A second tab does not show a user who has signed out, and does not refresh either."""
    assert signed_in
    other = _open(tab, server.url)
    _value(tab.page, "auth.logout()")
    other.wait_for_function("() => told === 1")
    assert tab.page.evaluate("() => told") == 1
    assert not {"accessToken", "refreshToken"} & set(_cookies(tab.page.context))
    assert _value(other, "auth.me()") is None
    assert other.evaluate("() => told") == 1


def test_a_closed_client_hears_no_other_tab(tab: Tab, server: Server, signed_in: dict[str, Any]) -> None:
    """A test, or a part of a page, leaves nothing behind; what it closed still works when it is used again."""
    closed, listening = _open(tab, server.url), _open(tab, server.url)
    closed.evaluate("() => auth.close()")
    _value(tab.page, "auth.logout()")
    listening.wait_for_function("() => told === 1")
    assert closed.evaluate("() => told") == 0
    assert _value(closed, "auth.me()") is None
    closed.evaluate("() => { auth.onSignedOut(() => told++) }")
    assert _value(listening, _login(signed_in["email"]))["id"] == signed_in["id"]
    _value(listening, "auth.logout()")
    closed.wait_for_function("() => told === 1")


def test_without_web_locks(tab: Tab, start: Callable[..., Server]) -> None:
    """Plain HTTP and old browsers: one refresh a tab, and the leeway keeps two tabs signed in."""
    tab.page.context.add_init_script("delete Navigator.prototype.locks")
    server = start(REFRESH_LEEWAY_SECONDS="10")
    traffic = Traffic(tab.page.context)
    user = _sign_up(_load(tab.page, server.url), traffic)
    assert tab.page.evaluate("() => navigator.locks === undefined")
    tabs = [tab.page, _open(tab, server.url)]
    _expire(tab.page.context, server)
    _hold_until_asked(tab.page.context, "**/auth/me", times=6)
    _hold_until_asked(tab.page.context, "**/auth/refresh-token", times=2)
    for page in tabs:
        page.evaluate("() => { window.answers = Promise.all([auth.me(), auth.me(), auth.me()]) }")
    assert [page.evaluate("() => answers") for page in tabs] == [[user] * 3, [user] * 3]
    assert traffic.refreshes == 2
    assert [_value(page, "auth.me()") for page in tabs] == [user, user]
    with psycopg.connect(server.dsn, row_factory=psycopg.rows.dict_row) as sql:
        assert len(live_sessions(sql, user["id"])) == 1


def test_blocked_storage(tab: Tab, server: Server, traffic: Traffic) -> None:
    """localStorage that throws costs refreshes across tabs at most; one tab still shares its own."""
    tab.page.context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error() } })")
    user = _sign_up(_load(tab.page, server.url), traffic)
    _expire(tab.page.context, server)
    assert _value(tab.page, "Promise.all([auth.me(), auth.me()])") == [user, user]
    assert traffic.refreshes == 1


def test_under_a_root_path(tab: Tab, start: Callable[..., Server]) -> None:
    """It finds its service beside itself, whatever the path that both are served under."""
    server = start(ROOT_PATH="/accounts")
    traffic = Traffic(tab.page.context)
    user = _sign_up(_load(tab.page, f"{server.url}/accounts"), traffic)
    _expire(tab.page.context, server)
    assert _value(tab.page, "auth.me()") == user
    assert traffic.count("POST /accounts/auth/refresh-token") == 1
    assert {line.split()[1][:10] for line in traffic.sent} == {"/accounts/"}


@pytest.fixture
def sites() -> Iterator[Callable[[], str]]:
    """Serves an empty page on localhost, at a port of its own: `sites()` is its origin."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 204)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 its name in the base class
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), EmptyPage) as site:
        thread = Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield lambda: f"http://localhost:{site.server_port}"
        site.shutdown()
        thread.join()


def _path(url: str) -> str:
    return httpx.URL(url).path


def _load(page: Page, url: str) -> Page:
    page.goto(f"{url}{EMPTY_PAGE}")
    page.evaluate(LOAD, f"{url}/client.js")
    return page


def _open(tab: Tab, url: str) -> Page:
    """One more tab of the same browser."""
    return _load(tab.page.context.new_page(), url)


def _outcome(page: Page, call: str) -> dict[str, Any]:
    """What a promise came to: its value, or what there is to know of its error."""
    outcome: dict[str, Any] = page.evaluate(f"{call}.then((value) => ({{ value }}), {REFUSAL})")
    return outcome


def _value(page: Page, call: str) -> Any:
    outcome = _outcome(page, call)
    assert "error" not in outcome, outcome
    return outcome.get("value")


def _login(email: str, password: str = PASSWORD) -> str:
    return f"auth.login({{ email: '{email}', password: '{password}' }})"


def _sign_up(page: Page, traffic: Traffic) -> dict[str, Any]:
    email = new_email()
    _value(page, f"auth.register({{ name: 'Siam', email: '{email}', password: '{PASSWORD}' }})")
    user: dict[str, Any] = _value(page, _login(email))
    assert traffic.refreshes == 0
    return user


def _cookies(context: BrowserContext) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in context.cookies()}


def _expire(context: BrowserContext, server: Server) -> None:
    """Puts a genuine access token of the same session, past its time, into the jar."""
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == "accessToken"]
    claims = claims_of(cookie["value"])
    expired = minted(server, TokenKind.ACCESS, claims["id"], claims["sid"], age=301)
    asked = plain_http.get(f"{server.url}/auth/me", cookies={"accessToken": expired})
    assert asked.json()["code"] == "TOKEN_EXPIRED"
    context.add_cookies(
        [
            {
                "name": "accessToken",
                "value": expired,
                "domain": cookie["domain"],
                "path": "/",
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


def _hold_until_asked(context: BrowserContext, url: str, *, times: int) -> None:
    """Lets no such request through before there are so many: all of them are sent with the same cookies."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        # A copy: while these are let through, the next may come in.
        for each in list(held) if len(held) == times else [route] if len(held) > times else []:
            each.continue_()

    context.route(url, hold)


def _answer_by_token(server: Server, route: Route) -> None:
    """The app's own API: it asks Latchkey whose token that is and answers 401, without a code of ours, or an echo."""
    cookies = {"Cookie": route.request.header_value("cookie") or ""}
    status = plain_http.get(f"{server.url}/auth/me", headers=cookies).status_code
    route.fulfill(status=status, body=route.request.post_data if status == 200 else "who are you?")


def _fail(failure: str, route: Route) -> None:
    if failure == "network":
        route.abort()
    else:
        route.fulfill(status=int(failure), headers={"Retry-After": "7"}, json={"success": False, "code": "BUSY"})


def _revoke_from_another_browser(chromium: Chromium, server: Server, user: dict[str, Any]) -> None:
    """The same user, on another device, signs out everywhere else."""
    context = chromium.new_context()
    page = _load(context.new_page(), server.url)
    _value(page, _login(user["email"]))
    assert _value(page, "auth.endOtherSessions()") == 1
    context.close()
