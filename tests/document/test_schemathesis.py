"""Schemathesis against the running server: what the document allows, and much that it forbids, is answered as it says."""

from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, strategies
from requests import Session
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.kit.admins import sign_in_admin
from tests.kit.answers import claims_of
from tests.kit.browser import Browser
from tests.kit.operations import ADDED, OF_ADMINS, OF_SERVERS, ORIGINAL
from tests.kit.server import Server
from tests.kit.services import add_api_key, id_of
from tests.kit.stored import Sql
from tests.kit.wire import Wire

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
RESTORE = "PATCH /users/{id}/restore"
# Each of their cases is sent by a user of its own, so that one that works does not leave the others signed out.
ENDS_SESSION = {
    "DELETE /users/{id}",
    RESTORE,
    "POST /auth/logout",
    "POST /auth/refresh-token",
    "DELETE /auth/sessions/{sessionId}",
}
# These need a password or a token, an address with one "@", an Origin or the name of a scope, which is not guessed.
NEVER_BY_CHANCE = {
    "POST /admin/api-keys",
    "POST /admin/users",
    "GET /auth/check",
    "POST /auth/change-password",
    "POST /auth/forgot-password",
    "POST /auth/login",
    "POST /auth/reset-password",
    "POST /auth/verify-email",
    "POST /auth/verify-email/request",
}
EXAMPLES = 15
# The same cases every time: what fails here fails again, and what passed does not fail tomorrow by chance.
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)


@pytest.fixture
def session() -> Iterator[Session]:
    """Connections for the requests of one test; cookies are given with each."""
    with Session() as session:
        yield session


@pytest.mark.parametrize("name", [name for name in (*ORIGINAL, *ADDED) if name not in OF_ADMINS])
def test_answers_as_the_document_says(
    name: str, server: Server, wire: Wire, session: Session, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """No input, good or bad, from somebody signed in brings out a 500 or an answer that no client was told of."""
    method, path = name.split()
    operation = schemathesis.openapi.from_dict(wire.document)[path][method]
    browser = open_browser()
    user = browser.sign_up()
    key = {"X-API-Key": add_api_key(sql, "tokens:introspect", "revocations:read")}
    answered: set[int] = set()

    @SETTINGS
    @hypothesis.given(
        operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE),
        strategies.sampled_from(["own id", "own id", "any id"]),
    )
    def holds(case: Case[Any], which: str) -> None:
        nonlocal user
        if name in ENDS_SESSION:
            user = browser.sign_up()
        if name == RESTORE:
            browser.delete(f"/users/{user['id']}")
        if "{id}" in path and which == "own id":
            case.path_parameters["id"] = user["id"]
        if "{sessionId}" in path and which == "own id":
            case.path_parameters["sessionId"] = claims_of(browser.cookies["accessToken"])["sid"]
        headers = key if name in OF_SERVERS else {"X-CSRF-Token": browser.csrf or browser.fetch_csrf()}
        cookies = {} if name in OF_SERVERS else browser.cookies
        response = case.call(base_url=server.url, session=session, headers=headers, cookies=cookies)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    holds()
    assert answered & {200, 201, 204} or name in NEVER_BY_CHANCE, f"refused whatever was sent: {answered}"


@pytest.mark.parametrize("name", OF_ADMINS)
def test_answers_admins_as_the_document_says(
    name: str, server: Server, wire: Wire, session: Session, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """The same for an admin, who works on users and keys of this test only: others share the server."""
    method, path = name.split()
    operation = schemathesis.openapi.from_dict(wire.document)[path][method]
    admin, target = open_browser(), open_browser()
    sign_in_admin(admin, sql)
    answered: set[int] = set()

    @SETTINGS
    @hypothesis.given(operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE))
    def holds(case: Case[Any]) -> None:
        user = target.sign_up()
        if path.endswith(("/restore", "/erase")):
            admin.delete(f"/admin/users/{user['id']}")
        if path.startswith("/admin/api-keys/"):
            case.path_parameters["id"] = id_of(add_api_key(sql, "users:read"))
        elif str(case.path_parameters.get("id", "")).strip("-").isdigit():
            case.path_parameters["id"] = user["id"]
        if "{sessionId}" in path:
            case.path_parameters["sessionId"] = claims_of(target.cookies["accessToken"])["sid"]
        headers = {"X-CSRF-Token": admin.csrf or admin.fetch_csrf()}
        response = case.call(base_url=server.url, session=session, headers=headers, cookies=admin.cookies)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    holds()
    assert answered & {200, 201, 204} or name in NEVER_BY_CHANCE, f"refused whatever was sent: {answered}"
