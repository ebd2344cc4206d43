"""Every field of every body, given a value of every wrong type."""

from typing import Any

import pytest

from tests.kit.browser import Browser, Member, bad_fields
from tests.kit.routes import BODY_FIELDS, WITH_BODY, Route, call_with, field_ids
from tests.kit.stored import Sql, audited, everything_of

WRONG: tuple[Any, ...] = (None, True, 1, 1.5, [], {}, "")
WRONG_IDS = ("null", "true", "1", "1.5", "[]", "{}", "empty")


def test_table_is_complete(browser: Browser) -> None:
    """The fields below are all texts that bodies of browsers have: the document knows no others."""
    documented = set()
    for path, operations in browser.wire.document["paths"].items():
        for method, operation in operations.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                model = browser.wire.document["components"]["schemas"][reference.rpartition("/")[2]]
                documented |= {(method.upper(), path, field) for field in model["properties"]}
    # A flag, and what native clients alone may send (tests/sessions/test_native_clients.py).
    others = {("POST", "/auth/login", "remember")}
    others |= {("POST", path, "refreshToken") for path in ("/auth/refresh-token", "/auth/logout")}
    # Tables of their own: tests/features/user_administration, metadata and api_key_administration.
    others |= {field for field in documented if field[1].startswith(("/admin/", "/auth/me/"))}
    assert documented - others == {(route.method, route.path, field) for route, field in BODY_FIELDS}
    assert others <= documented


@pytest.mark.parametrize("value", WRONG, ids=WRONG_IDS)
@pytest.mark.parametrize(("route", "field"), BODY_FIELDS, ids=field_ids(BODY_FIELDS))
def test_wrong_type_names_the_field(member: Member, sql: Sql, route: Route, field: str, value: Any) -> None:
    """400 with exactly that field, and nothing written. Nothing is ever converted to a string."""
    before = everything_of(sql, member.id)
    response = call_with(member.browser, member.id, route, field, value)
    assert bad_fields(response) == {field}
    assert "set-cookie" not in response.headers
    assert audited(sql, response) == []
    assert everything_of(sql, member.id) == before


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_table_starts_from_bodies_that_are_valid(browser: Browser, route: Route) -> None:
    """Were they not, the 98 cases would prove nothing."""
    user = browser.sign_up()
    response = route.call(browser, user["id"])
    assert response.json().get("message") != "Validation failed"
    assert response.json().get("code") != "INVALID_REQUEST"
