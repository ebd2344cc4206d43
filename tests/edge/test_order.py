"""Which refusal wins when a request is wrong in several ways."""

from typing import Any

import pytest

from tests.kit.browser import Browser, Member, bad_fields, refused
from tests.kit.routes import DELETE, GET, PATCH, PUT, RESTORE, SELF_ONLY, UNSAFE, Route
from tests.kit.stored import Sql, everything_of

FORBIDDEN = (403, "FORBIDDEN", "You are not allowed to perform this action")
CSRF = (403, "EBADCSRFTOKEN", "invalid csrf token")
BY_ID = (GET, *SELF_ONLY)
TOO_LARGE = ("2147483648", "9" * 30, "9" * 5000)
BAD_IDS = ("abc", "-1", "+1", "1.0", "1e3", "0x10", "%EF%BC%91", "%D9%A1", "1%20", "%201", "1_0", "%C2%85")
BAD_BODIES: dict[str, dict[str, Any]] = {
    "bad field": {"body": {"name": 1, "email": 1}},
    "no field": {"body": {}},
    "no JSON": {"content": b"{", "headers": {"Content-Type": "application/json"}},
    "another type": {"content": b"name=Siam", "headers": {"Content-Type": "text/plain"}},
}
every_bad_body = pytest.mark.parametrize("wrong", BAD_BODIES.values(), ids=BAD_BODIES.keys())


@pytest.mark.parametrize("route", BY_ID, ids=str)
@pytest.mark.parametrize("user_id", BAD_IDS)
def test_id_that_is_no_number(member: Member, route: Route, user_id: str) -> None:
    """The path value comes second, before self (403) and body: ASCII digits or 400."""
    assert bad_fields(route.call(member.browser, user_id)) == {"id"}


@pytest.mark.parametrize("route", BY_ID, ids=str)
@pytest.mark.parametrize("user_id", TOO_LARGE, ids=["int32 + 1", "30 digits", "5000 digits"])
def test_id_larger_than_an_int32(member: Member, route: Route, user_id: str) -> None:
    """404 also where it is not one's own, since nobody's it can be; never a 500."""
    assert refused(route.call(member.browser, user_id)) == (404, "USER_NOT_FOUND", "User not found")


@pytest.mark.parametrize(("route", "answer"), [(GET, 404)] + [(route, 403) for route in SELF_ONLY], ids=str)
@pytest.mark.parametrize("user_id", ["0", "2147483647"])
def test_id_that_is_nobodys(member: Member, route: Route, answer: int, user_id: str) -> None:
    """Unknown to a reader; to a self route just another id, so that nobody learns which ids exist."""
    assert route.call(member.browser, user_id).status_code == answer


@every_bad_body
@pytest.mark.parametrize("route", [PUT, PATCH], ids=str)
def test_bad_id_before_bad_body(member: Member, route: Route, wrong: dict[str, Any]) -> None:
    """400 names the id alone."""
    assert bad_fields(route.call(member.browser, "abc", **wrong)) == {"id"}


@every_bad_body
@pytest.mark.parametrize("route", [PUT, PATCH], ids=str)
def test_somebody_elses_id_before_bad_body(browser: Browser, route: Route, wrong: dict[str, Any]) -> None:
    """403 before 400 and 415."""
    other = browser.register()
    browser.sign_up()
    assert refused(route.call(browser, other["id"], **wrong)) == FORBIDDEN


@every_bad_body
@pytest.mark.parametrize("route", [PUT, PATCH], ids=str)
def test_bad_body_before_state(browser: Browser, sql: Sql, route: Route, wrong: dict[str, Any]) -> None:
    """400 before 404: the account is deleted under the session, and still the body is read first."""
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    assert route.call(browser, user["id"], **wrong).status_code in {400, 415}
    assert route.call(browser, user["id"]).status_code == 404


@pytest.mark.parametrize("route", SELF_ONLY, ids=str)
@pytest.mark.parametrize("deleted", [False, True], ids=["active", "deleted"])
def test_somebody_elses_account(browser: Browser, sql: Sql, route: Route, deleted: bool) -> None:
    """403, not one row changed or written, whether or not that account is there."""
    other = browser.register()
    user = browser.sign_up()
    sql.execute("UPDATE users SET is_deleted = %s WHERE id = %s", [deleted, other["id"]])
    before = everything_of(sql, other["id"], user["id"])
    response = route.call(browser, other["id"])
    assert refused(response) == FORBIDDEN
    assert "set-cookie" not in response.headers
    assert everything_of(sql, other["id"], user["id"]) == before


@pytest.mark.parametrize("route", UNSAFE, ids=str)
def test_size_before_csrf_and_csrf_before_the_rest(browser: Browser, route: Route) -> None:
    """Section 8: 413, then 403 of CSRF, then who is asking, then what is asked."""
    browser.fetch_csrf()
    too_large = route.call(browser, "abc", content=b"x" * 10_241, with_csrf=False)
    assert refused(too_large) == (413, "PAYLOAD_TOO_LARGE", "Request body too large")
    wrong = {"content": b"{", "headers": {"Content-Type": "text/plain"}}
    assert refused(route.call(browser, "abc", with_csrf=False, **wrong)) == CSRF


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [("POST", "/nowhere", 404), ("POST", "/users", 405), ("DELETE", "/auth/me", 405), ("PUT", "/users/1/2", 404)],
)
def test_csrf_before_routing(browser: Browser, method: str, path: str, answer: int) -> None:
    """Section 8: a cross-site request learns nothing about our paths."""
    browser.fetch_csrf()
    assert refused(browser.request(method, path, with_csrf=False)) == CSRF
    assert browser.request(method, path).status_code == answer


@pytest.mark.parametrize("route", [DELETE, RESTORE], ids=str)
def test_routes_without_a_body_ignore_one(browser: Browser, route: Route) -> None:
    """Section 3: whatever its type; only its size counts. Restoring what is active is a 404."""
    user = browser.sign_up()
    junk: dict[str, Any] = {"content": b"\xff{", "headers": {"Content-Type": "text/plain"}}
    expected = 200 if route is DELETE else 404
    assert route.call(browser, user["id"], **junk).status_code == expected
