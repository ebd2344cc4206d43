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

from tests.harness.browser import Browser
from tests.harness.server import Server
from tests.openapi.operations import ADDED, ORIGINAL

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
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


@pytest.mark.parametrize("name", [*ORIGINAL, *ADDED])
def test_answers_as_the_document_says(
    name: str, server: Server, session: Session, open_browser: Callable[..., Browser]
) -> None:
    """No input, good or bad, from somebody signed in brings out a 500 or an answer that no client was told of.

    A case that would end the session signs in anew, so that one that works does not leave the others refused.
    """
    method, path = name.split()
    operation = schemathesis.openapi.from_url(f"{server.url}/openapi.json")[path][method]
    browser = open_browser()
    user = browser.sign_up()
    own = {"id": user["id"]} if "{id}" in path else None
    sent: list[int] = []

    @SETTINGS
    @hypothesis.given(
        strategies.one_of(
            operation.as_strategy(GenerationMode.POSITIVE, path_parameters=own),
            operation.as_strategy(GenerationMode.POSITIVE),
            operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=own),
            operation.as_strategy(GenerationMode.NEGATIVE),
        )
    )
    def holds(case: Case[Any]) -> None:
        browser.fetch_csrf()
        response = case.call(
            base_url=server.url,
            session=session,
            headers={"X-CSRF-Token": browser.csrf},
            cookies=browser.cookies,
        )
        sent.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    holds()
    assert sent
