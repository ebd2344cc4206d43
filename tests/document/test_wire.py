"""What holds every answer of the tests to the document: it must find the operation, and miss nothing that has none."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.kit.browser import Browser
from tests.kit.wire import ALWAYS, UNDOCUMENTED, Wire

HEADERS = dict.fromkeys(ALWAYS, "x") | {"server": "latchkey", "content-type": "application/json; charset=utf-8"}
SUCCESS = b'{"success":true,"message":"Success","data":null}'


def _answer(status: int, content: bytes = SUCCESS) -> httpx.Response:
    return httpx.Response(status, headers=HEADERS, content=content)


def test_every_documented_path_is_found(wire: Wire) -> None:
    """With its parameters filled in, with and without a slash at its end, with a query, and with letters encoded."""
    assert any("{sessionId}" in path for path in wire.document["paths"])
    for path, operations in wire.document["paths"].items():
        for value in ("7", str(uuid4()), "not-an-id"):
            filled = re.sub("{[^}]+}", value, path)
            for method, operation in operations.items():
                for target in (
                    filled,
                    f"{filled}/",
                    f"{filled}?page=1",
                    f"{filled}/?page=/x",
                    "/%" + f"{ord(filled[1]):x}" + filled[2:],
                ):
                    assert wire.operation(method.upper(), target) is operation, target
            if "get" in operations:
                assert wire.operation("HEAD", filled) is operations["get"]


@pytest.mark.parametrize("path", ["/nothing", "/users/1/nothing", "/auth", "/openapi.json/x", "/dev"])
def test_a_success_that_nobody_documented_fails(wire: Wire, path: str) -> None:
    """Refusals of what is not there pass, and what is left out on purpose."""
    wire.check("GET", path, _answer(404))
    for status in (200, 201, 204):
        with pytest.raises(AssertionError, match="not documented"):
            wire.check("GET", path, _answer(status))
        with pytest.raises(AssertionError, match="not documented"):
            wire.check("DELETE", "/auth/login", _answer(status))
    for known in UNDOCUMENTED:
        wire.check("GET", known, _answer(200))


@pytest.mark.parametrize("body", [SUCCESS, b'{"success":true,"message":"Session ended","data":{}}', b"{}"])
def test_an_answer_below_a_parameter_is_held_to_its_operation(wire: Wire, body: bytes) -> None:
    """Whatever its name; this one was overlooked for its capital letter."""
    path = f"/auth/sessions/{uuid4()}"
    with pytest.raises(AssertionError, match=path):
        wire.check("DELETE", path, _answer(200, body))
    with pytest.raises(AssertionError, match="not declared"):
        wire.check("DELETE", path, _answer(202))
    wire.check("DELETE", path, _answer(200, SUCCESS.replace(b"Success", b"Session ended")))


def test_an_answer_without_a_body_has_none(wire: Wire) -> None:
    """Where the document promises no body, a proxy passes none on."""
    bare = {name: value for name, value in HEADERS.items() if name != "content-type"}
    for status in (204, 302, 401, 403, 503):
        wire.check("GET", "/auth/check", httpx.Response(status, headers=bare))
        with pytest.raises(AssertionError):
            wire.check("GET", "/auth/check", _answer(status))
    with pytest.raises(AssertionError, match="not declared"):
        wire.check("GET", "/auth/check", httpx.Response(400, headers=bare))


def test_pages_are_there(browser: Browser) -> None:
    """Nothing is left on the list that is not served."""
    for path in UNDOCUMENTED:
        assert browser.get(path).status_code == 200, path
