"""Bodies that are not one strict JSON object."""

import json
import time

import httpx
import pytest

from tests.kit.browser import PASSWORD, Browser, Member, bad_fields, new_email, refused
from tests.kit.routes import LOGIN, PATCH, WITH_BODY, Route
from tests.kit.stored import Sql, everything_of, users_with

MALFORMED = (400, "INVALID_REQUEST", "Malformed JSON body")
VALID = '{"name":"New Name"}'
DEEP = 10_240
MALFORMED_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n",
    "open brace": b"{",
    "null": b"null",
    "list": b"[]",
    "string": b'"x"',
    "number": b"1",
    "true": b"true",
    "list of the right object": f"[{VALID}]".encode(),
    "two objects": (VALID + VALID).encode(),
    "trailing text": f"{VALID}x".encode(),
    "trailing comma": b'{"name":"New Name",}',
    "single quotes": b"{'name':'New Name'}",
    "bare key": b'{name:"New Name"}',
    "comment": b'{"name":"New Name"/* x */}',
    "raw control character": b'{"name":"New\x01Name"}',
    "raw line feed": b'{"name":"New\nName"}',
    "bad escape": rb'{"name":"New\xName"}',
    "half an escape": rb'{"name":"New\u12"}',
    "bad UTF-8": b'{"name":"New \xc3\x28"}',
    "overlong UTF-8": b'{"name":"New \xc0\xafName"}',
    "surrogate in UTF-8": b'{"name":"New \xed\xa0\x80Name"}',
    "cut UTF-8": b'{"name":"New Name\xe2\x82"}',
    "Latin-1": '{"name":"Ünïcode"}'.encode("latin-1"),
    "byte order mark": b"\xef\xbb\xbf" + VALID.encode(),
    "UTF-16": VALID.encode("utf-16"),
    "UTF-16 without mark": VALID.encode("utf-16-le"),
    "UTF-32": VALID.encode("utf-32"),
    "zero byte at the end": VALID.encode() + b"\0",
    "no-break space around": f"\u00a0{VALID}".encode(),
    "form feed around": b"\f" + VALID.encode(),
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":Infinity}',
    "-Infinity": b'{"name":-Infinity}',
    "NaN in an unknown key": b'{"name":"New Name","x":[NaN]}',
    "leading zero": b'{"name":01}',
    "hexadecimal": b'{"name":0x1}',
    "key twice": b'{"name":"New Name","name":"New Name"}',
    "key twice, once escaped": rb'{"name":"New Name","n\u0061me":"Evil Name"}',
    "key twice, deep down": b'{"name":"New Name","x":{"a":1,"a":2}}',
    "deep lists": b"[" * DEEP,
    "deep closed lists": b"[" * (DEEP // 2) + b"]" * (DEEP // 2),
    "deep objects": b'{"a":' * (DEEP // 5),
    "deep closed objects": b'{"a":' * 1700 + b"1" + b"}" * 1700,
    "deep in an unknown key": b'{"name":"New Name","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "number of 5000 digits": b'{"name":' + b"9" * 5000 + b"}",
}


def send(browser: Browser, route: Route, user_id: int, content: bytes) -> httpx.Response:
    """Sends raw bytes as JSON."""
    return route.call(browser, user_id, content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("content", MALFORMED_BODIES.values(), ids=MALFORMED_BODIES.keys())
def test_malformed_body(member: Member, sql: Sql, content: bytes) -> None:
    """One answer for all, without the parser's words; nothing changes."""
    before = everything_of(sql, member.id)
    for route in (PATCH, LOGIN):
        response = send(member.browser, route, member.id, content)
        assert refused(response) == MALFORMED
        assert response.json().keys() == {"success", "message", "code"}
    assert everything_of(sql, member.id) == before


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_every_route_with_a_body_refuses_it(member: Member, route: Route) -> None:
    """An empty body, with or without a type, is no object either: 400, for there is no body to be of a type."""
    assert refused(send(member.browser, route, member.id, b"{")) == MALFORMED
    assert refused(send(member.browser, route, member.id, b"")) == MALFORMED
    assert refused(route.call(member.browser, member.id, content=b"")) == MALFORMED


def test_nothing_of_the_body_is_logged(browser: Browser) -> None:
    """A body cut off in transit holds a password as often as not."""
    marker = "marker-4711"
    for content in (f'{{"password":"{marker}"', f'{{"password":"{marker}","email":1}}'):
        assert send(browser, LOGIN, 1, content.encode()).status_code == 400
    assert "POST /auth/login 400" in browser.server.printed()
    assert marker not in browser.server.printed()


@pytest.mark.parametrize("content", [b"[" * DEEP, b'{"a":' * (DEEP // 5)], ids=["lists", "objects"])
def test_nesting_bomb_is_refused_fast(browser: Browser, content: bytes) -> None:
    """10 kB of brackets must cost no more than any other bad request. The best of five counts."""
    user = browser.sign_up()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        assert refused(send(browser, PATCH, user["id"], content)) == MALFORMED
        times.append(time.perf_counter() - started)
    assert min(times) < 0.05


ACCEPTED_BODIES: dict[str, str] = {
    "white space around": ' \t\r\n{"name" : "New Name"}\n ',
    "escaped key": r'{"n\u0061me":"New Name"}',
    "escaped value": r'{"name":"\u004eew Name"}',
    "escaped pair": r'{"name":"\ud83d\ude00 New Name"}',
    "raw emoji": '{"name":"😀 New Name"}',
    "solidus": r'{"name":"New\/Name"}',
}


@pytest.mark.parametrize("content", ACCEPTED_BODIES.values(), ids=ACCEPTED_BODIES.keys())
def test_unusual_but_valid_json(browser: Browser, content: str) -> None:
    """Strict is not narrow: everything that RFC 8259 allows is read."""
    user = browser.sign_up()
    response = send(browser, PATCH, user["id"], content.encode())
    assert response.status_code == 200, response.text
    assert response.json()["data"]["name"] == json.loads(content)["name"]


def test_huge_number_in_a_field_names_the_field(browser: Browser) -> None:
    """1e400 is a number by JSON's grammar, and no number is a name."""
    user = browser.sign_up()
    assert bad_fields(send(browser, PATCH, user["id"], b'{"name":1e400}')) == {"name"}


def test_duplicate_key_makes_no_account(browser: Browser, sql: Sql) -> None:
    """Two parsers on one way would each see another address."""
    first, second = new_email(), new_email()
    content = f'{{"name":"Siam","email":"{first}","email":"{second}","password":"{PASSWORD}"}}'
    headers = {"Content-Type": "application/json"}
    response = browser.request("POST", "/auth/register", content=content.encode(), headers=headers)
    assert refused(response) == MALFORMED
    assert users_with(sql, first) + users_with(sql, second) == []
