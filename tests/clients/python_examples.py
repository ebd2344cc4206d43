"""The examples for Python behind a real Latchkey: what its sign-ins, roles, keys and endings do to them.

`make test-client-python` runs this; `make test` does not, since it needs the frameworks.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from latchkey.features.revocations.scopes import RevocationsScope
from tests.kit.browser import Browser
from tests.kit.command_line import latchkey
from tests.kit.example_apps import COMMANDS, running_example
from tests.kit.native_client import NativeClient
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET, Server
from tests.kit.services import add_api_key
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

INVALID = (401, "INVALID_TOKEN")


def new_api_key(dsn: str) -> str:
    """Stores an API key for an example."""
    with psycopg.connect(dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        return add_api_key(sql, RevocationsScope.READ)


@pytest.fixture(scope="module", params=COMMANDS)
def notes(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Each of the examples, in front of the shared server."""
    log = tmp_path_factory.mktemp("example") / "log"
    with running_example(request.param, log, latchkey=server.issuer, api_key=new_api_key(server.dsn)) as client:
        yield client
        assert "Traceback" not in log.read_text(encoding="utf-8")


def sign_in(native: NativeClient, browser: Browser) -> dict[str, Any]:
    """Signs a new user in natively and returns it. The account is made in a browser."""
    user = browser.register()
    assert native.login(user["email"]).status_code == 200
    return user


def bearer(client: NativeClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.access}"}


def cookies(browser: Browser) -> dict[str, str]:
    """The header that the browser sends to all ports of Latchkey's host."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def is_refused(notes: httpx.Client, headers: dict[str, str]) -> bool:
    response = notes.get("/notes", headers=headers)
    if response.status_code == 200:
        return False
    assert refusal(response) == INVALID
    return True


def test_a_native_client_keeps_notes_until_it_signs_out(
    notes: httpx.Client, native: NativeClient, browser: Browser
) -> None:
    user = sign_in(native, browser)
    headers = bearer(native)
    assert notes.post("/notes", params={"text": "milk"}, headers=headers).json() == ["milk"]
    assert native.renew().status_code == 200
    assert notes.get("/notes", headers=bearer(native)).json() == ["milk"]

    assert native.post("/auth/logout", {"refreshToken": native.refresh}).status_code == 200
    eventually(lambda: is_refused(notes, headers), "the older token is refused")
    eventually(lambda: is_refused(notes, bearer(native)), "the newer token is refused")
    assert native.login(user["email"]).status_code == 200
    assert notes.get("/notes", headers=bearer(native)).json() == ["milk"]


def test_a_page_sends_its_cookie(notes: httpx.Client, browser: Browser) -> None:
    browser.sign_up()
    own = {"Origin": str(notes.base_url).rstrip("/")}
    assert notes.post("/notes", params={"text": "milk"}, headers=cookies(browser) | own).json() == ["milk"]
    foreign = {"Origin": "https://evil.example.com"}
    assert refusal(notes.post("/notes", params={"text": "x"}, headers=cookies(browser) | foreign)) == (403, "FORBIDDEN")

    sent = cookies(browser)
    assert browser.post("/auth/logout").status_code == 200
    assert refusal(notes.get("/notes", headers=cookies(browser))) == (401, "UNAUTHORIZED")
    eventually(lambda: is_refused(notes, sent), "the cookie that another script has kept is refused")


def test_every_session_ends_with_a_new_password(notes: httpx.Client, native: NativeClient, browser: Browser) -> None:
    user = browser.sign_up()
    assert native.login(user["email"]).status_code == 200
    phone, page = bearer(native), cookies(browser)
    change = {"currentPassword": "Secret123!", "newPassword": "Another456!"}
    assert browser.post("/auth/change-password", change).status_code == 200
    eventually(lambda: is_refused(notes, phone) and is_refused(notes, page), "both are refused")
    assert notes.get("/notes", headers=cookies(browser)).status_code == 200


def test_a_recent_admin_clears_all_notes(notes: httpx.Client, native: NativeClient, browser: Browser, sql: Sql) -> None:
    user_id = sign_in(native, browser)["id"]
    assert refusal(notes.post("/notes/clear", headers=bearer(native))) == (403, "FORBIDDEN")
    sql.execute("UPDATE users SET role = 'admin' WHERE id = %s", [user_id])
    assert native.renew().status_code == 200
    assert notes.post("/notes/clear", headers=bearer(native)).status_code == 200

    sql.execute("UPDATE sessions SET created_at = created_at - interval '16 minutes' WHERE user_id = %s", [user_id])
    assert native.renew().status_code == 200
    too_old = notes.post("/notes/clear", headers=bearer(native))
    assert refusal(too_old) == (403, "REAUTHENTICATION_REQUIRED")
    assert too_old.headers["WWW-Authenticate"] == 'Bearer error="insufficient_user_authentication", max_age=900'


def test_other_tokens_of_latchkey_are_refused(notes: httpx.Client, native: NativeClient, browser: Browser) -> None:
    sign_in(native, browser)
    for other in (native.refresh, native.device, "null"):
        assert refusal(notes.get("/notes", headers={"Authorization": f"Bearer {other}"})) == INVALID


def test_the_app_goes_on_without_latchkey(
    start: Callable[..., Server],
    open_native: Callable[..., NativeClient],
    open_browser: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    server = start()
    native, browser = open_native(server), open_browser(server)
    sign_in(native, browser)
    log = tmp_path / "example.log"
    with running_example("fastapi", log, latchkey=server.issuer, api_key=new_api_key(server.dsn)) as notes:
        headers = bearer(native)
        assert notes.get("/notes", headers=headers).status_code == 200
        # A token that the app has not seen yet.
        assert native.renew().status_code == 200
        server.kill()
        eventually(lambda: "Cannot learn which sessions have ended" in log.read_text(), "the app notices")
        assert notes.get("/notes", headers=headers).status_code == 200
        assert notes.get("/notes", headers=bearer(native)).status_code == 200


def test_the_app_takes_a_new_key_beside_the_old_one(
    start: Callable[..., Server],
    open_native: Callable[..., NativeClient],
    open_browser: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    server = start()
    native, browser = open_native(server), open_browser(server)
    sign_in(native, browser)
    log, secrets = tmp_path / "example.log", {"JWT_ACCESS_SECRET": ACCESS_SECRET, "JWT_REFRESH_SECRET": REFRESH_SECRET}
    with running_example("starlette", log, latchkey=server.issuer, api_key=new_api_key(server.dsn)) as notes:
        old = bearer(native)
        assert notes.get("/notes", headers=old).status_code == 200
        rotated = latchkey("keys", "rotate", "--now", "--json", directory=tmp_path, dsn=server.dsn, **secrets)
        assert rotated.code == 0, rotated

        def has_new_key() -> bool:
            assert native.renew().status_code == 200
            return notes.get("/notes", headers=bearer(native)).status_code == 200 and not is_same_key(native, old)

        # The app asks for an unknown key at most once in half a minute.
        eventually(has_new_key, "the app takes tokens of the new key", within=120)
        assert notes.get("/notes", headers=old).status_code == 200, "the old key still verifies"


def is_same_key(native: NativeClient, headers: dict[str, str]) -> bool:
    """Tells whether the client's token has the header of that older one."""
    return native.access.partition(".")[0] == headers["Authorization"].removeprefix("Bearer ").partition(".")[0]
