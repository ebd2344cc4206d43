"""What is served, against what is documented and what is refused: read from the routes themselves, so that an endpoint
that is added later is held to it too."""

import re
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from latchkey.app import Settings
from latchkey.clock import system_clock
from latchkey.database.pool import connect, open_database
from latchkey.http.endpoint import SAFE_METHODS, Endpoint
from latchkey.process import build_service
from latchkey.settings import load_settings
from tests.kit.browser import Browser, refused
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET
from tests.kit.wire import UNDOCUMENTED, Wire

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
async def served() -> AsyncIterator[tuple[Endpoint[Any], ...]]:
    """Every endpoint of a service that is built, but never asks its database."""
    database = await open_database(NOWHERE, production=False)
    settings = load_settings(
        Settings, environment="development", jwt_access_secret=ACCESS_SECRET, jwt_refresh_secret=REFRESH_SECRET
    )
    open_connection = partial(connect, NOWHERE, production=False)
    yield build_service(settings, database, open_connection, system_clock, dev=True).edge.routes.endpoints
    await database.close()


async def test_every_unsafe_endpoint_checks_csrf(
    served: tuple[Endpoint[Any], ...], open_browser: Callable[[], Browser]
) -> None:
    """There is no way to leave one out."""
    browser = open_browser()
    unsafe = [endpoint for endpoint in served if endpoint.method not in SAFE_METHODS]
    # Takes API keys alone, which no page has.
    without = {endpoint.path for endpoint in unsafe if not endpoint.checks_csrf}
    assert without == {"/oauth/introspect"}
    for endpoint in [endpoint for endpoint in unsafe if endpoint.path not in without]:
        path = re.sub("{[a-zA-Z]+}", "1", endpoint.path)
        answer = browser.request(endpoint.method, path, {}, with_csrf=False)
        assert refused(answer) == (403, "EBADCSRFTOKEN", "invalid csrf token"), endpoint.path


async def test_what_is_not_documented_is_a_page_or_its_asset(served: tuple[Endpoint[Any], ...]) -> None:
    """Nothing else is served beside the document: pages change nothing, ask for nobody and reach no database."""
    hidden = [endpoint for endpoint in served if not endpoint.documented]
    assert {endpoint.path for endpoint in hidden} == UNDOCUMENTED
    for endpoint in hidden:
        assert (endpoint.method, endpoint.guard, endpoint.touches_database) == ("GET", None, False), endpoint.path


async def test_what_is_served_is_what_the_document_says(served: tuple[Endpoint[Any], ...], wire: Wire) -> None:
    """No more and no less."""
    declared = {(endpoint.method, endpoint.path) for endpoint in served if endpoint.documented}
    paths = wire.document["paths"]
    assert declared == {(method.upper(), path) for path, methods in paths.items() for method in methods}


async def test_what_writes_is_counted(served: tuple[Endpoint[Any], ...]) -> None:
    """The rate limit leaves out health, assets and public keys, and nothing that could be guessed at."""
    uncounted = [endpoint for endpoint in served if not endpoint.counted]
    assert {endpoint.method for endpoint in uncounted} == {"GET"}
    assert {endpoint.path for endpoint in uncounted if endpoint.documented} == {
        "/healthz",
        "/readyz",
        "/.well-known/jwks.json",
    }


def test_every_documented_unsafe_operation_refuses_without_a_token(browser: Browser) -> None:
    """An operation that is added is in this test by itself."""
    user_id = browser.sign_up()["id"]
    refusals = 0
    for path, methods in browser.wire.document["paths"].items():
        if path == "/oauth/introspect":
            # Takes API keys alone, which no page has.
            continue
        for method in set(methods) - {"get"}:
            answer = browser.request(method.upper(), path.format(id=user_id, sessionId=uuid4()), {}, with_csrf=False)
            assert refused(answer)[:2] == (403, "EBADCSRFTOKEN"), path
            refusals += 1
    assert refusals >= 11
    assert browser.get("/auth/me").status_code == 200
