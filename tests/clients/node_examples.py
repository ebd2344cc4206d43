"""The examples for Express, Fastify and Hono beside a real Latchkey, with the package as it would be published.

Its name is not that of a test, because it needs what `make test-client-js` installs.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit import plain_http
from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.chromium import Tab
from tests.kit.native_client import NativeClient
from tests.kit.ports import free_port
from tests.kit.server import Server
from tests.kit.services import add_api_key
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

CLIENT = Path(__file__).parents[2] / "clients" / "js"
EXAMPLES = ["express", "fastify", "hono"]
OUR_PAGE, STRANGE_PAGE = "https://app.example", "https://evil.example"
ENDED = (401, "INVALID_TOKEN")
SIGN_UP = """async ({ latchkey, account }) => {
  const { createClient } = await import(`${latchkey}/client.js`);
  window.auth = createClient({ baseUrl: latchkey });
  await auth.register(account);
  await auth.login(account);
}"""
ADD_NOTE = """async () => {
  const headers = { "Content-Type": "application/json" };
  const response = await auth.fetch("/notes", { method: "POST", headers, body: '{"text": "milk"}' });
  return [response.status, await response.json()];
}"""


@dataclass
class Notes:
    """A running example: an API with the notes of each user."""

    url: str

    def ask(self, method: str, client: NativeClient | None = None, **headers: str) -> httpx.Response:
        """Sends a request with a client's access token, or with exactly these headers."""
        sent = {"Authorization": f"Bearer {client.access}"} if client else {}
        note = {"text": "milk"} if method == "POST" else None
        with plain_http.client() as http:
            return http.request(method, f"{self.url}/notes", headers=sent | headers, json=note)

    def refusal(self, method: str, client: NativeClient) -> tuple[int, str]:
        """Sends a request, and returns status and code of the refusal, or the status alone."""
        response = self.ask(method, client)
        return response.status_code, response.json()["code"] if response.is_error else ""


@pytest.fixture(scope="module")
def project(require: Callable[[str], str]) -> Iterator[Path]:
    """Packs the client package, and installs it beside the examples."""
    command = [require("node"), str(CLIENT / "test" / "kit" / "installed.js")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    installed = Path(done.stdout.strip())
    yield installed
    shutil.rmtree(installed)


@pytest.fixture
def run(project: Path, require: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Notes]]:
    """Starts an example beside a server: `run("express", server, LATCHKEY_API_KEY=key)`."""
    running: list[subprocess.Popen[bytes]] = []

    def run_one(name: str, server: Server, **settings: str) -> Notes:
        log = tmp_path / f"{name}.log"
        variables = {"PATH": os.environ["PATH"], "PORT": "0", "LATCHKEY_URL": server.issuer, **settings}
        with log.open("wb") as output:
            command = [require("node"), str(project / f"{name}.mjs")]
            running.append(subprocess.Popen(command, env=variables, stdout=output, stderr=subprocess.STDOUT))
        listening = re.compile(r"Listening on port (\d+)")
        eventually(lambda: listening.search(log.read_text()) is not None, f"{name} listens")
        found = listening.search(log.read_text())
        assert found is not None
        return Notes(f"http://localhost:{found[1]}")

    yield run_one
    for each in running:
        each.send_signal(signal.SIGKILL)
        each.wait()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_session_from_sign_in_to_its_end(
    name: str,
    run: Callable[..., Notes],
    server: Server,
    open_browser: Callable[..., Browser],
    open_native: Callable[..., NativeClient],
    sql: Sql,
) -> None:
    notes = run(name, server, LATCHKEY_API_KEY=add_api_key(sql, "revocations:read"))
    phone, other = (signed_in(open_native(), open_browser()) for _ in range(2))

    assert notes.ask("GET", phone).json() == []
    assert notes.ask("POST", phone).status_code == 201
    assert notes.ask("GET", phone).json() == ["milk"]
    assert notes.ask("GET", other).json() == [], "each user has their own"
    assert notes.refusal("DELETE", phone) == (403, "FORBIDDEN")
    assert notes.ask("GET").status_code == 401

    phone.renew()
    assert notes.ask("GET", phone).json() == ["milk"], "a renewed token is the same user's"
    phone.post("/auth/logout", {"refreshToken": phone.refresh})
    eventually(lambda: notes.refusal("GET", phone) == ENDED, f"{name} refuses the token of the ended session")
    assert notes.ask("GET", other).status_code == 200


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_admin_who_has_to_confirm_that_it_is_them(
    name: str,
    run: Callable[..., Notes],
    server: Server,
    open_browser: Callable[..., Browser],
    open_native: Callable[..., NativeClient],
    sql: Sql,
) -> None:
    notes = run(name, server)
    email = new_email()
    open_browser().register(email)
    sql.execute("UPDATE users SET role = 'admin' WHERE email = %s", [email])
    admin = open_native()
    admin.login(email)
    assert notes.ask("DELETE", admin).status_code == 204

    sql.execute(
        "UPDATE sessions SET created_at = now() - interval '10 minutes', authenticated_at = now() - interval '10 minutes'"
        " FROM users WHERE users.id = user_id AND email = %s",
        [email],
    )
    admin.renew()
    assert notes.refusal("DELETE", admin) == (403, "REAUTHENTICATION_REQUIRED")
    challenge = notes.ask("DELETE", admin).headers["WWW-Authenticate"]
    assert challenge == 'Bearer error="insufficient_user_authentication", max_age=300'
    assert notes.ask("GET", admin).status_code == 200


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_with_cookies(
    name: str, run: Callable[..., Notes], server: Server, open_browser: Callable[..., Browser]
) -> None:
    notes = run(name, server, PAGE_ORIGIN=OUR_PAGE)
    browser = open_browser()
    browser.sign_up()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    assert notes.ask("GET", Cookie=cookies).json() == []
    assert notes.ask("POST", Cookie=cookies, Origin=OUR_PAGE).status_code == 201
    assert notes.ask("POST", Cookie=cookies, Origin=notes.url).status_code == 201
    assert notes.ask("POST", Cookie=cookies, Origin=STRANGE_PAGE).status_code == 403
    assert notes.ask("POST", Cookie=cookies).status_code == 403
    refresh: Any = {"Cookie": f"accessToken={browser.cookies['refreshToken']}"}
    assert notes.ask("GET", **refresh).status_code == 401


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_browser_client_renews_tokens_after_a_401_of_the_app(
    name: str, run: Callable[..., Notes], start: Callable[..., Server], tab: Tab
) -> None:
    port = free_port()
    server = start(CORS_ORIGINS=f"http://localhost:{port}")
    notes = run(name, server, PORT=str(port))
    # Any page of the app's origin will do, also a refusal.
    tab.page.goto(f"{notes.url}/notes")
    account = {"name": "Siam", "email": new_email(), "password": PASSWORD}
    tab.page.evaluate(SIGN_UP, {"latchkey": server.issuer, "account": account})
    assert tab.page.evaluate(ADD_NOTE) == [201, ["milk"]]

    answers: list[int] = []
    tab.page.context.on(
        "response", lambda response: answers.append(response.status) if "/notes" in response.url else None
    )
    tab.page.context.clear_cookies(name="accessToken")
    assert tab.page.evaluate(ADD_NOTE) == [201, ["milk", "milk"]]
    assert answers == [401, 201]


@pytest.mark.parametrize("name", EXAMPLES)
def test_latchkey_is_down(
    name: str,
    run: Callable[..., Notes],
    start: Callable[..., Server],
    open_browser: Callable[..., Browser],
    open_native: Callable[..., NativeClient],
    own_sql: Sql,
) -> None:
    """Tokens hold until they expire, and known endings stay known."""
    server = start()
    notes = run(name, server, LATCHKEY_API_KEY=add_api_key(own_sql, "revocations:read"))
    phone, ended = (signed_in(open_native(server), open_browser(server)) for _ in range(2))
    assert notes.ask("GET", phone).status_code == 200
    ended.post("/auth/logout", {"refreshToken": ended.refresh})
    eventually(lambda: notes.refusal("GET", ended) == ENDED, f"{name} knows of the end")
    server.stop()
    assert notes.ask("GET", phone).status_code == 200
    assert notes.refusal("GET", ended) == ENDED


def signed_in(client: NativeClient, browser: Browser) -> NativeClient:
    """Registers an account, and signs the client in to it."""
    assert client.login(browser.register()["email"]).status_code == 200
    return client
