"""An operator rotates both secrets while people use two instances, and nobody notices."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from latchkey.sealing import Sealer
from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.forging import refresh_with
from tests.kit.key_rows import key_rows
from tests.kit.native_client import NativeClient
from tests.kit.rotating import ADDED, AFTER, BEFORE, NEW, OLD, SECRETS, SWAPPED
from tests.kit.server import Server
from tests.kit.stored import Sql, endings

LEEWAY = {"REFRESH_LEEWAY_SECONDS": "60"}
# Apps know the installation by one name, whatever port an instance has.
WITH_KEYS = LEEWAY | {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}
WITHOUT_KEYS = LEEWAY | {"ENVIRONMENT": "production"}
WRONG = "Wrong-password1"
CSRF_REFUSED = (403, "EBADCSRFTOKEN", "invalid csrf token")
INVALID = (401, "INVALID_TOKEN", "Invalid token")
REFRESH_INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
Start = Callable[..., Server]
OpenBrowser = Callable[..., Browser]


@dataclass
class Installation:
    """Two instances. The operator restarts one after the other."""

    start: Start
    settings: dict[str, str]
    instances: list[Server] = field(default_factory=list)
    gone: list[Server] = field(default_factory=list)

    def begin(self, secrets: dict[str, str]) -> None:
        """Starts both instances."""
        self.instances = [self.start(**self.settings, **secrets) for _ in range(2)]

    def restart(self, number: int, secrets: dict[str, str]) -> None:
        """Replaces an instance by one with these secrets."""
        self.gone.append(self.instances[number])
        assert self.instances[number].stop() == 0, self.instances[number].printed()
        self.instances[number] = self.start(**self.settings, **secrets)

    def printed(self) -> str:
        """Returns what all instances have printed."""
        return "".join(server.printed() for server in (*self.gone, *self.instances))


def begin_leeway(sql: Sql) -> None:
    """Makes the last rotation of every session so young that a busy machine stays within the leeway."""
    sql.execute("UPDATE sessions SET last_used_at = now() WHERE ended_at IS NULL")


def pair_of(browser: Browser) -> tuple[str, str]:
    """Both tokens in a browser's jar."""
    return browser.cookies["accessToken"], browser.cookies["refreshToken"]


class Ann:
    """She has a page open and an app on her phone. Nothing is refused to her, whichever instance answers."""

    def __init__(self, installation: Installation, page: Browser, app: NativeClient, sql: Sql) -> None:
        self.installation = installation
        self.page = page
        self.app = app
        self.sql = sql
        self.user = page.sign_up()
        assert app.login(self.user["email"]).status_code == 200
        self.csrf_token = page.csrf
        self.spent: list[tuple[str, tuple[str, str]]] = []
        self.changes = 0

    def works_everywhere(self) -> None:
        """Reads, changes and refreshes at each instance, and then has lost the last answer."""
        for server in self.installation.instances:
            self._works_at(server)
            self._lost_the_last_answer()
        self._works_on_the_phone()

    def _works_at(self, server: Server) -> None:
        self.page.move_to(server)
        assert self.page.get("/auth/me").status_code == 200
        self._changes_her_name()
        parent = self.page.cookies["refreshToken"]
        response = self.page.post("/auth/refresh-token")
        assert response.status_code == 200, response.text
        self.spent.append((parent, pair_of(self.page)))
        assert self.page.csrf == self.csrf_token

    def _changes_her_name(self) -> None:
        self.changes += 1
        response = self.page.patch(f"/users/{self.user['id']}", {"name": f"Ann {self.changes}"})
        assert response.status_code == 200, response.text

    def _lost_the_last_answer(self) -> None:
        """Sends her last refresh again, to each instance, and gets the very same tokens."""
        parent, pair = self.spent[-1]
        for server in self.installation.instances:
            self.page.move_to(server)
            begin_leeway(self.sql)
            response = refresh_with(self.page, parent)
            assert response.status_code == 200, response.text
            assert pair_of(self.page) == pair

    def _works_on_the_phone(self) -> None:
        for server in self.installation.instances:
            self.app.move_to(server)
            assert self.app.get("/auth/me").status_code == 200
            response = self.app.renew()
            assert response.status_code == 200, response.text


def known(browser: Browser, email: str) -> bool:
    """Tells whether a browser that guesses wrong counts as a device of that account: strangers have to wait."""
    answer = browser.request(
        "POST",
        "/auth/login",
        {"email": email, "password": WRONG},
        cookies={name: browser.cookies[name] for name in ("_csrf", "knownDevice")},
    )
    return answer.status_code == 401


def exhaust_strangers(stranger: Browser, email: str) -> None:
    """Uses up what strangers may guess."""
    while stranger.login(email, WRONG).status_code == 401:
        pass


def test_nobody_notices(
    start: Start, open_browser: OpenBrowser, open_native: Callable[..., NativeClient], own_sql: Sql
) -> None:
    """Accept the new secrets everywhere; swap them, instance after instance; drop the old ones."""
    here = Installation(start, WITH_KEYS)
    here.begin(BEFORE)
    first, second = here.instances
    ann = Ann(here, open_browser(first), open_native(second), own_sql)
    ann.works_everywhere()
    # Signed in on another device, which is not used until the end.
    later = open_browser(first)
    bob = later.sign_up()
    sleeper = open_browser(second)
    sleeper.login(bob["email"])
    (key,) = key_rows(own_sql)

    for step, secrets in ((0, ADDED), (1, ADDED), (0, SWAPPED), (1, ADDED), (1, SWAPPED)):
        # The fourth is no step: an instance that is still to be swapped starts again.
        here.restart(step, secrets)
        ann.works_everywhere()
        for server in here.instances:
            later.move_to(server)
            exhaust_strangers(open_browser(server), bob["email"])
            assert known(later, bob["email"])
        (sealed,) = key_rows(own_sql)
        assert (sealed["kid"], sealed["public_jwk"]) == (key["kid"], key["public_jwk"])
        current = NEW if secrets is SWAPPED else OLD
        assert Sealer(current.current).is_current(sealed["private_sealed"])

    # Within the time for which the old secrets stay accepted: everybody who is to stay signed in comes once.
    assert later.login(bob["email"]).status_code == 200
    assert later.post("/auth/refresh-token").status_code == 200
    later.fetch_csrf()
    ann.page.fetch_csrf()
    ann.csrf_token = ann.page.csrf
    asleep = dict(sleeper.cookies)

    for number in (0, 1):
        here.restart(number, AFTER)
        ann.works_everywhere()
        later.move_to(here.instances[number])
        exhaust_strangers(open_browser(here.instances[number]), bob["email"])
        assert known(later, bob["email"])
        assert later.post("/auth/refresh-token").status_code == 200
    assert endings(own_sql, ann.user["id"]) == [None, None]
    assert ann.page.login(ann.user["email"]).status_code == 200

    # Someone who came too late signs in again. Nothing ends for it. A new process has counted no guesses.
    here.restart(0, AFTER)
    sleeper.move_to(here.instances[0])
    sleeper.fetch_csrf()
    assert refused(refresh_with(sleeper, asleep["refreshToken"])) == REFRESH_INVALID
    assert "reuse" not in endings(own_sql, bob["id"])
    assert own_sql.execute("SELECT FROM audit_logs WHERE action = 'TOKEN_REUSE_DETECTED'").rowcount == 0
    assert sleeper.login(bob["email"]).status_code == 200
    printed = here.printed()
    assert "a signing key was sealed under the current JWT_REFRESH_SECRET" in printed
    assert not any(secret in printed for secret in SECRETS)


def test_access_tokens_without_a_signing_key(
    start: Start, open_browser: OpenBrowser, open_native: Callable[..., NativeClient], own_sql: Sql
) -> None:
    """Where a secret signs them, too: while one instance makes with the old ones and the other one with the new ones."""
    here = Installation(start, WITHOUT_KEYS)
    here.begin(ADDED)
    here.restart(0, SWAPPED)
    page, app = open_browser(here.instances[0]), open_native(here.instances[0])
    user = page.sign_up()
    assert app.login(user["email"]).status_code == 200
    for maker, reader in (here.instances, here.instances[::-1], here.instances):
        for client in (page, app):
            client.move_to(maker)
        assert page.post("/auth/refresh-token").status_code == 200
        assert app.renew().status_code == 200
        assert claims_of(page.cookies["accessToken"]).get("iss") is None
        for client in (page, app):
            client.move_to(reader)
            assert client.get("/auth/me").status_code == 200
    # An access token alone signs out, whichever secret has signed it.
    page.cookies.pop("refreshToken")
    assert page.post("/auth/logout").status_code == 200
    assert sorted(endings(own_sql, user["id"]), key=str) == [None, "logout"]
    assert app.get("/auth/me").status_code == 200


def test_tokens_of_a_new_secret_that_not_every_instance_accepts(
    start: Start, open_browser: OpenBrowser, own_sql: Sql
) -> None:
    """The wrong order: one instance makes with the new secrets while the other one does not accept them yet.

    The late one refuses what the early one makes, and ends nothing. What it makes itself is good at both.
    """
    here = Installation(start, WITH_KEYS)
    here.begin(BEFORE)
    here.restart(0, SWAPPED)
    early, late = here.instances
    page = open_browser(late)
    user = page.sign_up()
    page.move_to(early)
    assert page.get("/auth/me").status_code == 200
    assert page.post("/auth/refresh-token").status_code == 200
    made_early = page.cookies["refreshToken"]
    pair_made_early = open_browser(early)
    pair_made_early.fetch_csrf()

    page.move_to(late)
    assert page.get("/auth/me").status_code == 200, "the signing key is the same"
    assert refused(refresh_with(page, made_early)) == REFRESH_INVALID
    assert page.set_cookies == []
    pair_made_early.move_to(late)
    assert refused(pair_made_early.login(user["email"])) == CSRF_REFUSED
    assert endings(own_sql, user["id"]) == [None]

    # The early instance has sealed the key. The late one goes on, but does not start again.
    assert late.stop() == 0
    assert_does_not_start(start, own_sql)
    here.instances[1] = start(**WITH_KEYS, **ADDED)
    page.move_to(here.instances[1])
    assert page.post("/auth/refresh-token").status_code == 200
    assert endings(own_sql, user["id"]) == [None]


def assert_does_not_start(start: Start, sql: Sql) -> None:
    """Fails if an instance starts that knows the old secrets alone, and says otherwise what it must say."""
    (key,) = key_rows(sql)
    with pytest.raises(AssertionError, match="the server exited with 1") as refusal:
        start(**WITH_KEYS, **BEFORE)
    printed = str(refusal.value)
    assert f"cannot open signing key {key['kid']}" in printed
    assert "JWT_REFRESH_SECRET_ACCEPTED" in printed
    assert "Traceback" not in printed


def test_in_the_wrong_order_a_lost_answer_is_taken_for_theft(
    start: Start, open_browser: OpenBrowser, own_sql: Sql
) -> None:
    """The late instance cannot make the successor again, so it cannot tell the owner from a thief."""
    here = Installation(start, WITH_KEYS)
    here.begin(BEFORE)
    here.restart(0, SWAPPED)
    early, late = here.instances
    page = open_browser(late)
    user = page.sign_up()
    parent = page.cookies["refreshToken"]
    page.move_to(early)
    assert page.post("/auth/refresh-token").status_code == 200
    begin_leeway(own_sql)
    page.move_to(late)
    assert refused(refresh_with(page, parent)) == REUSED
    assert endings(own_sql, user["id"]) == ["reuse"]


def test_an_account_signs_in_at_any_step(start: Start, open_browser: OpenBrowser) -> None:
    """A login ends the session that the cookies prove, whichever secret has made them."""
    here = Installation(start, WITH_KEYS)
    here.begin(ADDED)
    here.restart(0, SWAPPED)
    page = open_browser(here.instances[0])
    user = page.register(new_email("often"))
    for server in (*here.instances, *here.instances):
        page.move_to(server)
        assert page.login(user["email"], PASSWORD).status_code == 200
        page.cookies.pop("accessToken")
    assert page.post("/auth/refresh-token").status_code == 200
    assert len(page.get("/auth/sessions").json()["data"]) == 1
