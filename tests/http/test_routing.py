"""The index of routes finds what trying one route after another would find, and nothing that is written crookedly."""

import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.http.endpoint import Call, Endpoint, Reply
from latchkey.http.routing import Match, RouteTable

segments = st.sampled_from(["users", "auth", "me", "restore", "1", "{id}", "{name}"])
templates = st.builds(
    lambda first, rest: "/" + "/".join([first, *rest]),
    st.sampled_from(["users", "auth", "healthz"]),
    st.lists(segments, max_size=3, unique=True),
)
"""As ours are: the first segment is a word, and a parameter stands once."""
tables = st.lists(templates | st.just("/"), unique=True, min_size=1, max_size=8)
given_segments = st.sampled_from(["users", "auth", "healthz", "me", "restore", "1", "42", "", "{id}", "é", "Users"])
paths = st.lists(given_segments, max_size=5).map(lambda parts: "/" + "/".join(parts)) | st.text(max_size=20)

OURS = ["/users", "/users/{id}", "/users/{id}/restore", "/auth/me", "/auth/login"]


async def nothing(_: Call[Any]) -> Reply:
    """A handler that nobody calls here."""
    return Reply()


def endpoint(path: str, method: str = "GET") -> Endpoint[Any]:
    """An endpoint as far as routing goes."""
    return Endpoint(method=method, path=path, handler=nothing, summary="")


def naive(table: list[str], path: str) -> tuple[str, dict[str, str]] | None:
    """Whole paths first, then each template in turn as a regular expression; one trailing slash is ignored."""
    path = path[:-1] if path not in {"/", "//"} and path.endswith("/") else path
    for template in sorted(table, key=lambda template: "{" in template):
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]*)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[a-z]+\})", template)
        )
        if found := re.fullmatch(pattern, path, re.DOTALL):
            return template, found.groupdict()
    return None


def outcome(match: Match | None) -> tuple[str, dict[str, str]] | None:
    """Template and parameters of a match."""
    return (match.resource.path, match.parameters) if match else None


@given(tables, paths)
@example(["/users/{id}", "/users/me"], "/users/me/")
@example(["/users/{id}"], "/users/1//")
@example(["/users"], "//")
@example(["/"], "/")
@example(["/"], "//")
@example(["/"], "///")
def test_index_agrees_with_trying_one_after_another(table: list[str], path: str) -> None:
    """The same template with the same values, for any table and any path."""
    found = RouteTable(endpoint(template) for template in table).find(path, path.encode())
    assert outcome(found) == naive(table, path)


@given(st.sampled_from(OURS), st.integers(0), st.booleans())
def test_ours_are_found_with_and_without_a_slash(template: str, user_id: int, slash: bool) -> None:
    """One trailing slash changes nothing; a second one does."""
    table = RouteTable(map(endpoint, OURS))
    path = template.format(id=user_id) + "/" * slash
    assert outcome(table.find(path, path.encode())) == (template, {"id": str(user_id)} if "{" in template else {})
    doubled = table.find(path + "/" * (2 - slash), b"")
    assert doubled is None or "" in doubled.parameters.values()


def encoded(path: str, where: int, what: str) -> tuple[str, bytes]:
    """A path with something put in somewhere: decoded as the server decodes it, and as it was sent."""
    where %= len(path) + 1
    raw = quote(path[:where]) + what + quote(path[where:])
    return unquote(raw, errors="replace"), raw.encode()


crooked = st.sampled_from(["%2F", "%2f", "%5C", "%5c", "%FF", "%C3%28", "%ED%A0%80", "%7F"]) | st.integers(0, 31).map(
    lambda code: f"%{code:02X}"
)


@given(st.sampled_from(OURS), st.integers(0), crooked)
@example("/users/{id}", 6, "%2F")
@example("/auth/login", 11, "%0A")
@example("/users/{id}", 8, "%00")
def test_crooked_paths_name_nothing(template: str, where: int, what: str) -> None:
    """An encoded slash, control character or bytes that are no UTF-8, at any place: no endpoint, however it decodes."""
    table = RouteTable(map(endpoint, OURS))
    assert table.find(*encoded(template.format(id=1), where, what)) is None


@given(st.sampled_from(OURS), st.integers(0), st.sampled_from("aeiou19-._~"))
def test_straight_characters_may_be_encoded(template: str, where: int, character: str) -> None:
    """RFC 3986: encoding an unreserved character changes nothing, so both spellings find the same."""
    table = RouteTable(map(endpoint, OURS))
    path = template.format(id=1)
    where %= len(path) + 1
    plain = path[:where] + character + path[where:]
    spelt = encoded(path, where, f"%{ord(character):02X}")
    assert spelt[0] == plain
    assert outcome(table.find(*spelt)) == outcome(table.find(plain, plain.encode()))


def test_one_resource_a_path_with_all_its_methods() -> None:
    """So that Allow is complete and HEAD goes wherever GET does."""
    table = RouteTable([endpoint("/users/{id}"), endpoint("/users/{id}", "PUT"), endpoint("/users", "POST")])
    match = table.find("/users/1", b"/users/1")
    assert match is not None
    assert match.resource.allow == "GET, HEAD, PUT"
    assert match.resource.endpoints["HEAD"] is match.resource.endpoints["GET"]
    posting = table.find("/users", b"/users")
    assert posting is not None
    assert posting.resource.allow == "POST"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_two_endpoints_for_one_method_are_a_mistake(method: str) -> None:
    """One of them would never be reached: said at start-up, not found out later."""
    with pytest.raises(ValueError, match="has two endpoints"):
        RouteTable([endpoint("/users"), endpoint("/users", method)])
