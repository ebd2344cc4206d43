"""/openapi.json: valid, complete, and saying of every operation what it needs and how it refuses."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package apart
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.kit.operations import ADDED, ADDED_PUBLIC, ADDED_UNSAFE, OF_SERVERS, ORIGINAL, PROTECTED_UNSAFE, PUBLIC
from tests.kit.wire import Wire

Json = dict[str, Any]

PROTECTED_SAFE = ["GET /auth/check", "GET /auth/me", "GET /auth/sessions", "GET /users", "GET /users/{id}"]
OPEN = ["GET /auth/csrf-token", "GET /.well-known/jwks.json", "GET /healthz", "GET /readyz"]

CSRF: Json = {"csrfToken": []}
ACCESS: Json = {"cookieAuth": []}
BEARER: Json = {"bearerAuth": []}
API_KEY: Json = {"apiKey": []}
REFRESH: Json = {"refreshCookie": []}
SECURITY = (
    {name: [CSRF] for name in (*PUBLIC, *ADDED_PUBLIC)}
    | {name: [ACCESS | CSRF, BEARER] for name in (*PROTECTED_UNSAFE, *ADDED_UNSAFE)}
    | {name: [ACCESS, BEARER] for name in PROTECTED_SAFE}
    | {name: [API_KEY] for name in OF_SERVERS}
    | {name: [] for name in OPEN}
    | {"POST /auth/refresh-token": [REFRESH | CSRF], "POST /auth/logout": [ACCESS | CSRF, REFRESH | CSRF, BEARER]}
)


@pytest.fixture
def document(wire: Wire) -> Json:
    """The document that the server serves."""
    return wire.document


@pytest.fixture
def operations(document: Json) -> dict[str, Json]:
    """Its operations by method and path: `POST /auth/login`."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_is_valid_openapi_3_1(document: Json) -> None:
    """Generators and viewers can read it: they trust the version that it names."""
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_has_the_operations_of_the_original_and_those_added(operations: dict[str, Json]) -> None:
    """A client made for node-api-postgres finds all that it calls, and nothing is served that nobody decided on."""
    assert sorted(operations) == sorted([*ORIGINAL, *ADDED])
    assert len(ORIGINAL) == 14


def test_names_what_clients_refer_to(document: Json) -> None:
    """Generated clients name their types and their credentials after these."""
    components = document["components"]
    assert {"User", "SuccessResponse", "PaginatedUsersResponse", "ErrorResponse"} <= components["schemas"].keys()
    assert components["securitySchemes"]["cookieAuth"]["in"] == "cookie"
    scheme = components["securitySchemes"]["csrfToken"]
    assert scheme.items() >= {"in": "header", "name": "X-CSRF-Token"}.items()
    assert all(f"`{name}`" in scheme["description"] for name in ("csrf-token", "X-XSRF-TOKEN", "XSRF-TOKEN"))


def test_shows_no_secret_of_a_user(document: Json) -> None:
    """A user is these three fields: a password hash that is no part of the schema is sent by no generated server."""
    assert document["components"]["schemas"]["User"]["properties"].keys() == {"id", "name", "email"}


@pytest.mark.parametrize("name", SECURITY)
def test_says_what_proves_who_calls(operations: dict[str, Json], name: str) -> None:
    """Public operations need the CSRF token only; the others also a session, or an API key."""
    security = operations[name]["security"]
    assert sorted(security, key=str) == sorted(SECURITY[name], key=str)


def test_every_operation_with_a_body_says_how_bodies_are_refused(operations: dict[str, Json]) -> None:
    """A client knows before it sends: bad fields, no token, too large, not JSON, too often, database away."""
    with_body = [name for name, operation in operations.items() if "requestBody" in operation]
    # Refresh and logout read a body of native clients only. An introspection is a form, of a server with an API key.
    assert len(with_body) == 17
    for name in set(with_body) - set(OF_SERVERS):
        assert {"400", "403", "413", "415", "429", "503"} <= operations[name]["responses"].keys(), name


def test_every_unsafe_operation_documents_the_csrf_refusal(operations: dict[str, Json]) -> None:
    """The refusal that every newcomer meets first is in the document, with its code."""
    for name, operation in operations.items():
        if not name.startswith("GET ") and name not in OF_SERVERS:
            codes = {example["value"]["code"] for example in _examples(operation["responses"]["403"])}
            assert "EBADCSRFTOKEN" in codes, name


def test_examples_of_refusals_are_what_their_schemas_allow(document: Json, operations: dict[str, Json]) -> None:
    """Somebody who codes against an example codes against what is sent."""
    validated = 0
    for name, operation in operations.items():
        for status, response in operation["responses"].items():
            if "content" not in response:
                # Proxies read the status alone.
                assert name == "GET /auth/check"
                continue
            if "application/json" not in response["content"]:
                # A stream, which no schema describes.
                assert name == "GET /admin/audit/export"
                continue
            examples = _examples(response)
            assert examples or int(status) < 400, f"{name} {status} has no example"
            schema = response["content"]["application/json"]["schema"] | {"components": document["components"]}
            for example in examples:
                Draft202012Validator(schema).validate(example["value"])
                validated += 1
    assert validated > len(operations)


def test_operation_ids_are_unique(operations: dict[str, Json]) -> None:
    """Generated clients name their functions after them; two of one name would be one function."""
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(set(ids)) == len(ids)


def _examples(response: Json) -> list[Json]:
    return list(response["content"]["application/json"].get("examples", {}).values())
