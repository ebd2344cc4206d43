"""REGISTRATION and USERS_LIST: who may make an account, and who may see the others'."""

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
    """A browser on a server whose operator lets nobody register and lets everybody see only themselves. It holds
    answers to that server's own document."""
    before = open_browser(start())
    before.register("first@example.com")
    before.register("second@example.com")
    server = start(REGISTRATION="closed", USERS_LIST="self")
    browser = Browser(server, Wire(plain_http.get(f"{server.url}/openapi.json").json()))
    yield browser
    browser.close()


def test_nobody_registers(restricted: Browser) -> None:
    """Refused whatever the body is, before it is looked at."""
    for body in ({"name": "Siam", "email": "third@example.com", "password": "Secret123!"}, {}, {"name": 1}):
        assert refused(restricted.post("/auth/register", body)) == CLOSED
    assert restricted.login("third@example.com").status_code == 401


def test_nobody_sees_others(restricted: Browser) -> None:
    """Neither listed nor told apart from nobody; one's own account is there."""
    assert refused(restricted.get("/users"))[:2] == (401, "UNAUTHORIZED")
    user = restricted.login("first@example.com").json()["data"]["user"]
    assert refused(restricted.get("/users?page=x")) == NOT_LISTED
    for other in (user["id"] + 1, user["id"] + 1000):
        assert refused(restricted.get(f"/users/{other}")) == FORBIDDEN
    assert restricted.get(f"/users/{user['id']}").json()["data"] == user
    assert restricted.get("/auth/me").json()["data"] == user


def test_the_document_says_so(restricted: Browser, wire: Wire) -> None:
    """What is refused here is documented here, and not where it is not."""
    paths = restricted.get("/openapi.json").json()["paths"]
    register = paths["/auth/register"]["post"]["responses"]
    assert "403" in register
    assert "REGISTRATION_CLOSED" in str(register["403"])
    assert "USERS_NOT_LISTED" in str(paths["/users"]["get"]["responses"]["403"])
    assert "REGISTRATION_CLOSED" not in str(wire.document)
