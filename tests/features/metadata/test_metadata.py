"""A user's own metadata: an object that they replace whole."""

import pytest

from tests.kit.browser import Browser, bad_fields, refused
from tests.kit.native_client import NativeClient
from tests.kit.stored import Sql, audit_rows

PATH = "/auth/me/metadata"


def test_stored_and_replaced(browser: Browser, sql: Sql) -> None:
    user = browser.sign_up()
    assert browser.get(PATH).json()["data"] == {"owner": {}, "public": {}}
    first = browser.put(PATH, {"owner": {"theme": "dark", "seen": [1, 2]}})
    assert (first.json()["message"], first.json()["data"]["owner"]) == (
        "Metadata updated",
        {"theme": "dark", "seen": [1, 2]},
    )
    (row,) = audit_rows(sql, first)
    assert (row["action"], row["actor_id"], row["entity_id"]) == ("UPDATE_USER", user["id"], user["id"])
    assert row["metadata"]["changed"] == ["metadata"]
    assert audit_rows(sql, browser.put(PATH, {"owner": {"seen": [1, 2], "theme": "dark"}})) == []
    assert browser.put(PATH, {"owner": {}}).json()["data"]["owner"] == {}


def test_by_bearer_token(native: NativeClient, browser: Browser) -> None:
    user = browser.sign_up()
    native.login(user["email"])
    assert native.request("PUT", PATH, {"owner": {"a": 1}}).json()["data"]["owner"] == {"a": 1}
    assert native.get(PATH).json()["data"]["owner"] == {"a": 1}


def deep(levels: int) -> dict[str, object]:
    return {"a": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "owner"),
        ({"owner": None}, "owner"),
        ({"owner": "text"}, "owner"),
        ({"owner": []}, "owner"),
        ({"owner": {}, "public": {}}, "public"),
        ({"owner": {"a": "x" * 4_096}}, "owner"),
        ({"owner": {"a\0": 1}}, "owner"),
        ({"owner": deep(30)}, "owner"),
    ],
)
def test_what_is_refused(browser: Browser, body: dict[str, object], field: str) -> None:
    browser.sign_up()
    assert bad_fields(browser.put(PATH, body)) == {field}
    assert browser.get(PATH).json()["data"]["owner"] == {}


def test_only_signed_in(browser: Browser) -> None:
    assert refused(browser.get(PATH))[:2] == (401, "UNAUTHORIZED")
    browser.sign_up()
    assert bad_fields(browser.get(f"{PATH}?a=1")) == {"a"}
