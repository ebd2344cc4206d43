"""An access token counts only if we made it, as we made it, for a session that lives."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.kit.browser import Browser, refused
from tests.kit.forging import FORGERIES, HEADER, Forge, genuine_access, genuine_refresh, signed, unknown_session
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET, Server
from tests.kit.wire import Wire

INVALID = (401, "INVALID_TOKEN", "Invalid token")
EXPIRED = (401, "TOKEN_EXPIRED", "Token expired")
JUNK = {
    "3.9 kB": b"eyJh.eyJh." + b"x" * 3_900,
    "64 kB": b"eyJh.eyJh." + b"x" * 65_536,
    "1 MB": b"eyJh.eyJh." + b"x" * 1_048_576,
    "not ASCII": b"eyJh.eyJh.\xe9\xff",
    "not ASCII, UTF-8": "eyJh.eyJh.é".encode(),
}


@pytest.fixture(scope="module")
def victim(server: Server, wire: Wire) -> Iterator[Browser]:
    """Somebody who is signed in, and whom no forgery touches: one for them all."""
    browser = Browser(server, wire)
    browser.sign_up()
    yield browser
    browser.close()


def ask(browser: Browser, token: str) -> tuple[int, str, str]:
    """What /auth/me answers to that access cookie alone; a refusal must leave the jar alone."""
    response = browser.get("/auth/me", cookies={"accessToken": token})
    assert browser.set_cookies == []
    return refused(response)


def test_an_honest_token_signed_by_the_test_is_taken(victim: Browser) -> None:
    """Keeps the forgeries honest: what the tests sign anew, unchanged, is taken, so each fails by its flaw alone."""
    token = genuine_access(victim).changed()
    assert victim.get("/auth/me", cookies={"accessToken": token}).status_code == 200


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(victim: Browser, forge: Forge) -> None:
    """No algorithm, key, claim or spelling but ours passes."""
    assert ask(victim, forge(genuine_access(victim))) == INVALID


def test_the_other_kind_and_the_other_secret_are_refused(victim: Browser) -> None:
    """A refresh token, which lives a day, is no access token, whoever signs it."""
    access, refresh = genuine_access(victim), genuine_refresh(victim)
    assert ask(victim, refresh.token) == INVALID
    assert ask(victim, signed(access.claims, REFRESH_SECRET)) == INVALID
    assert ask(victim, signed(refresh.claims, ACCESS_SECRET)) == INVALID
    assert ask(victim, access.changed(typ="refresh")) == INVALID


def test_its_subject_has_one_spelling(browser: Browser, open_browser: Callable[..., Browser]) -> None:
    """One user by `id` and another by `sub`."""
    other = open_browser()
    user, stranger = browser.sign_up(), other.sign_up()
    mine = genuine_access(browser)
    assert ask(browser, mine.changed(sub=str(stranger["id"]))) == INVALID
    assert ask(browser, mine.changed(id=stranger["id"])) == INVALID
    assert ask(browser, mine.changed(sub=f"0{user['id']}")) == INVALID


def test_restoring_asks_whose_session_it_is(browser: Browser, open_browser: Callable[..., Browser]) -> None:
    """There the database is asked, whatever was signed."""
    other = open_browser()
    user, stranger = browser.sign_up(), other.sign_up()
    mine, theirs = genuine_access(browser), genuine_access(other)
    assert browser.delete(f"/users/{user['id']}").status_code == 200
    for confused in (
        mine.changed(sid=theirs.claims["sid"]),
        theirs.changed(id=user["id"], sub=str(user["id"])),
        unknown_session(mine),
    ):
        cookies = {"_csrf": browser.cookies["_csrf"], "accessToken": confused}
        assert refused(browser.patch(f"/users/{user['id']}/restore", cookies=cookies)) == INVALID
    assert other.get(f"/users/{stranger['id']}").status_code == 200


def test_a_genuine_token_past_its_time_says_so(victim: Browser) -> None:
    """Exp has no leeway, and only a genuine token is called expired."""
    access, now = genuine_access(victim), int(time.time())
    assert ask(victim, access.changed(exp=now)) == EXPIRED
    assert ask(victim, access.changed(exp=now - 1)) == EXPIRED
    assert ask(victim, access.changed(exp=1)) == EXPIRED
    assert ask(victim, signed(access.claims | {"exp": now - 1}, REFRESH_SECRET)) == INVALID
    assert ask(victim, access.changed(exp=now - 1, typ="refresh")) == INVALID


def test_a_token_that_was_good_expires_on_time(victim: Browser) -> None:
    """A token that it has taken is refused once it is too
    old, and not before."""
    expires_at = int(time.time()) + 2
    cookies = {"accessToken": genuine_access(victim).changed(exp=expires_at)}
    taken = 0
    while (answer := victim.get("/auth/me", cookies=cookies)).status_code == 200:
        taken += 1
        assert time.time() < expires_at + 1
    assert refused(answer) == EXPIRED
    assert taken > 1
    assert time.time() >= expires_at


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_other_clocks_may_be_half_a_minute_ahead(victim: Browser, claim: str) -> None:
    """30 s are allowed for iat and nbf, an hour is not."""
    access, now = genuine_access(victim), int(time.time())
    for ahead, status in ((25, 200), (120, 401), (3_600, 401)):
        moved: dict[str, Any] = {claim: now + ahead}
        token = access.changed(**moved)
        assert victim.get("/auth/me", cookies={"accessToken": token}).status_code == status


@pytest.mark.parametrize("name", ["jku", "x5u", "kid"])
def test_no_header_makes_the_server_call_out(victim: Browser, name: str) -> None:
    """Nothing connects to it, whoever signed."""
    access = genuine_access(victim)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        header = HEADER | {name: f"http://127.0.0.1:{trap.getsockname()[1]}/keys"}
        assert (
            ask(victim, signed(access.claims, "the attacker's own key, as long as it takes", header=header)) == INVALID
        )
        victim.get("/auth/me", cookies={"accessToken": signed(access.claims, ACCESS_SECRET, header=header)})
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_of_any_length_is_only_refused(victim: Browser, junk: bytes) -> None:
    """What no one made is refused or cut off, whatever its length, and the next request served."""
    answer = b""
    with socket.create_connection(("127.0.0.1", victim.server.port), timeout=5) as raw, suppress(ConnectionError):
        raw.sendall(
            b"GET /auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: accessToken=" + junk + b"\r\n\r\n"
        )
        answer = raw.recv(64)
    assert answer[:12] in {b"", b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 431"}
    assert victim.get("/auth/me").status_code == 200


def test_the_token_counts_in_its_cookie_alone(victim: Browser, browser: Browser) -> None:
    """No header, query or other cookie carries a token of a browser's session."""
    token, missing = victim.cookies["accessToken"], (401, "UNAUTHORIZED", "Unauthorized")
    for name in ("X-Api-Key", "X-Access-Token", "accessToken"):
        assert refused(browser.get(f"/auth/me?accessToken={token}", headers={name: token})) == missing
    assert refused(browser.get("/auth/me", headers={"Authorization": f"Bearer {token}"})) == INVALID
    others = {"accesstoken": token, "__Host-accessToken": token, "token": token}
    assert refused(browser.get("/auth/me", cookies=others)) == missing


def test_two_access_cookies_are_none(victim: Browser) -> None:
    """Of two that verify neither counts: a sibling domain may have planted one."""
    token = victim.cookies["accessToken"]
    assert refused(victim.get("/auth/me", headers={"Cookie": f"accessToken={token}; accessToken={token}"})) == INVALID
