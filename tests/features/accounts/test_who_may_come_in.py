"""REGISTRATION and USERS_LIST: who may create an account, and who may list the others."""

from collections.abc import Callable, Iterator

import pytest

from tests.kit import plain_http
from tests.kit.browser import Browser, refused
from tests.kit.server import Server
from tests.kit.wire import Wire

CLOSED = (403, "REGISTRATION_CLOSED", "Registration is closed. Ask the operator of this service for an account.")
NOT_LISTED = (403, "USERS_NOT_LISTED", "This service does not list users. GET /auth/me returns your own account.")
FORBIDDEN = (403, "FORBIDDEN", "You are not allowed to perform this action")


@pytest.fixture
def restricted(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> Iterator[Browser]:
    """A browser on a server with REGISTRATION=closed and USERS_LIST=self.

    That server's own document checks its answers.
    """
    before = open_browser(start())
    before.register("first@example.com")
    before.register("second@example.com")
    server = start(REGISTRATION="closed", USERS_LIST="self")
    browser = Browser(server, Wire(plain_http.get(f"{server.url}/openapi.json").json()))
    yield browser
    browser.close()


def test_nobody_registers(restricted: Browser) -> None:
    """Refused with any body, before the body is read."""
    for body in ({"name": "Siam", "email": "third@example.com", "password": "Secret123!"}, {}, {"name": 1}):
        assert refused(restricted.post("/auth/register", body)) == CLOSED
    assert restricted.login("third@example.com").status_code == 401


def test_nobody_sees_others(restricted: Browser) -> None:
    """Other users are neither listed nor distinguishable from unknown ids. The user's own account is readable."""
    assert refused(restricted.get("/users"))[:2] == (401, "UNAUTHORIZED")
    user = restricted.login("first@example.com").json()["data"]["user"]
    assert refused(restricted.get("/users?page=x")) == NOT_LISTED
    for other in (user["id"] + 1, user["id"] + 1000):
        assert refused(restricted.get(f"/users/{other}")) == FORBIDDEN
    assert restricted.get(f"/users/{user['id']}").json()["data"] == user
    assert restricted.get("/auth/me").json()["data"] == user


def test_the_document_says_so(restricted: Browser, wire: Wire) -> None:
    """The document of this server declares the refusal. The document of an open server does not."""
    paths = restricted.get("/openapi.json").json()["paths"]
    register = paths["/auth/register"]["post"]["responses"]
    assert "403" in register
    assert "REGISTRATION_CLOSED" in str(register["403"])
    assert "USERS_NOT_LISTED" in str(paths["/users"]["get"]["responses"]["403"])
    assert "REGISTRATION_CLOSED" not in str(wire.document)
