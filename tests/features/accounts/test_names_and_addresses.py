"""The rules of names and addresses, on every route that takes them."""

from collections.abc import Callable

import pytest

from tests.kit.browser import PASSWORD, Browser, Member, bad_fields, new_email, refused
from tests.kit.routes import EMAIL_FIELDS, NAME_FIELDS, TYPED_EMAIL_FIELDS, Route, call_with, field_ids
from tests.kit.server import Server
from tests.kit.stored import Sql, users_with

every_name = pytest.mark.parametrize(("route", "field"), NAME_FIELDS, ids=field_ids(NAME_FIELDS))
every_email = pytest.mark.parametrize(("route", "field"), EMAIL_FIELDS, ids=field_ids(EMAIL_FIELDS))
every_typed = pytest.mark.parametrize(("route", "field"), TYPED_EMAIL_FIELDS, ids=field_ids(TYPED_EMAIL_FIELDS))

GOOD_NAMES: dict[str, tuple[str, str]] = {
    "1 letter": ("S", "S"),
    "1 ideograph": ("\u674e", "\u674e"),
    "2 ideographs": ("\u738b\u4f1f", "\u738b\u4f1f"),
    "2 letters in white space": ("  Bo  ", "Bo"),
    "1 emoji": ("\U0001f600", "\U0001f600"),
    "1 letter that is composed": ("e\u0301", "e\u0301"),
    "joiners inside": (
        "\u0646\u0627\u0645\u200c\u0647\u0627 \u0995\u09cd\u200d\u09b7",
        "\u0646\u0627\u0645\u200c\u0647\u0627 \u0995\u09cd\u200d\u09b7",
    ),
    "joiners at the ends": ("\u200cSiam\u200d", "\u200cSiam\u200d"),
    "family of emoji": ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    "emoji with a selector": ("\u2764\ufe0f", "\u2764\ufe0f"),
    "100 characters": ("x" * 100, "x" * 100),
    "100 emoji": ("😀" * 100, "😀" * 100),
    "trimmed": (" \t\r\n\v\f Siam\u00a0\u3000\ufeff\u2028", "Siam"),
    "100 in white space": (" " * 50 + "x" * 100 + "\n" * 50, "x" * 100),
    "space inside": ("Si  am", "Si  am"),
    "not normalised": ("e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301"),
    "right to left": ("\u202eSiam", "\u202eSiam"),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
}
BAD_NAMES: dict[str, str] = {
    "nothing": "",
    "1 space": " ",
    "zero width spaces": "\u200b" * 3,
    "Hangul fillers": "\u3164" * 3,
    "Hangul filler": "\u3164",
    "half-width Hangul filler": "\uffa0",
    "Hangul jamo fillers": "\u115f\u1160",
    "Braille blanks": "\u2800" * 10,
    "soft hyphens": "\u00ad\u00ad\u00ad",
    "grapheme joiners": "\u034f\u034f",
    "vowel separators": "\u180e\u180b",
    "joiners alone": "\u200c\u200d\u200c",
    "marks of direction": "\u200e\u200f\u202e\u2066\u2069",
    "selectors": "\ufe0f\ufe00\U000e0100",
    "tags": "\U000e0001\U000e0053\U000e007f",
    "word joiners": "\u2060\u2063\ufeff\u2060",
    "marks without a letter": "\u0301\u0301\u20dd",
    "unseen in white space": " \u200b\u3000\u200b ",
    "interlinear notes": "\ufff9\ufffa\ufffb",
    "101 characters": "x" * 101,
    "101 emoji": "😀" * 101,
    "3 spaces": "   ",
    "3 ideographic spaces": "\u3000" * 3,
    "line feed inside": "Si\nam",
    "tab inside": "Si\tam",
    "escape": "Siam\x1b[31m",
    "delete": "Siam\x7f",
    "next line": "Siam\u0085",
    "C1 control": "Si\u009bam",
}


def address(local: int, *labels: int) -> str:
    """An address of the test's own: a local part and labels of those lengths."""
    unique = new_email().replace("@example.com", "").replace("-", "")
    return unique.ljust(local, "x")[-local:] + "@" + ".".join("d" * length for length in labels)


@every_name
@pytest.mark.parametrize(("sent", "kept"), GOOD_NAMES.values(), ids=GOOD_NAMES.keys())
def test_good_name(browser: Browser, route: Route, field: str, sent: str, kept: str) -> None:
    """Trimmed, 1 to 100 code points, kept as it is."""
    user = browser.sign_up()
    response = call_with(browser, user["id"], route, field, sent)
    assert response.status_code in {200, 201}, response.text
    data = response.json()["data"]
    assert data.get("user", data)["name"] == kept


@every_name
@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_bad_name(member: Member, route: Route, field: str, name: str) -> None:
    """The same rule on register, PUT and PATCH; node-api-postgres had one for each."""
    assert bad_fields(call_with(member.browser, member.id, route, field, name)) == {"name"}


def test_an_operator_may_ask_for_longer_names(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """NAME_MIN_LENGTH holds on register, PUT and PATCH, and the document says it."""
    browser = open_browser(start(NAME_MIN_LENGTH="3"))
    user = browser.sign_up()
    for route, field in NAME_FIELDS:
        for name in ("Si", "  Si  ", "\u738b\u4f1f", "\u200b\u200b\u200b"):
            assert bad_fields(call_with(browser, user["id"], route, field, name)) == {"name"}
        assert call_with(browser, user["id"], route, field, "Sia").status_code in {200, 201}
    schemas = browser.get("/openapi.json").json()["components"]["schemas"]
    for body in ("Registration", "UserReplacement", "UserChanges"):
        assert schemas[body]["properties"]["name"]["minLength"] == 3
    ours = browser.wire.document["components"]["schemas"]
    assert ours["Registration"]["properties"]["name"]["minLength"] == 1


GOOD_ADDRESSES = {
    "150 characters": lambda: address(64, 63, 21),
    "local part of 64": lambda: address(64, 7, 3),
    "label of 63": lambda: address(30, 63, 2),
    "plus and dots": lambda: "a.b+c." + new_email(),
    "every atom character": lambda: "!#$%&'*+/=?^_`{|}~-" + new_email(),
    "one letter": lambda: "x" + new_email() + ".a",
    "xn-- label": lambda: new_email().replace("example.com", "xn--80ak6aa92e.com"),
    "digits in the host": lambda: new_email().replace("example", "3com"),
    "long top label": lambda: new_email().replace(".com", ".photography"),
}
BAD_ADDRESSES: dict[str, str] = {
    "151 characters": "x" * 64 + "@" + "d" * 63 + "." + "d" * 22,
    "local part of 65": "x" * 65 + "@example.com",
    "label of 64": "siam@" + "d" * 64 + ".com",
    "one label": "a@b",
    "two dots": "a..b@example.com",
    "leading dot": ".a@example.com",
    "trailing dot": "a.@example.com",
    "empty label": "a@example..com",
    "host starts with a dot": "a@.example.com",
    "host ends with a dot": "a@example.com.",
    "label starts with a hyphen": "a@-example.com",
    "label ends with a hyphen": "a@example-.com",
    "underscore in the host": "a@exa_mple.com",
    "no at": "example.com",
    "two at": "a@b@example.com",
    "no local part": "@example.com",
    "no host": "siam@",
    "leading space": " siam@example.com",
    "trailing space": "siam@example.com ",
    "trailing line feed": "siam@example.com\n",
    "leading tab": "\tsiam@example.com",
    "leading line end": "\r\nsiam@example.com",
    "space inside": "si am@example.com",
    "quoted": '"si am"@example.com',
    "address literal": "siam@[127.0.0.1]",
    "IPv6 literal": "siam@[IPv6:::1]",
    "display name": "Siam <siam@example.com>",
    "two addresses": "siam@example.com,evil@example.com",
    "header injection": "siam@example.com\r\nBcc: evil@example.com",
    "Cyrillic look-alike": "siam@ex\u0430mple.com",
    "Kelvin sign": "\u212aim@example.com",
    "full-width at": "siam\uff20example.com",
    "accent": "si\u00e4m@example.com",
}


@every_email
@pytest.mark.parametrize("make", GOOD_ADDRESSES.values(), ids=GOOD_ADDRESSES.keys())
def test_good_address(browser: Browser, sql: Sql, route: Route, field: str, make: object) -> None:
    """Up to the last character of each limit, in lower case, and one can sign in with it."""
    assert callable(make)
    email = str(make()).swapcase()
    assert len(email) <= 150
    user = browser.sign_up()
    response = call_with(browser, user["id"], route, field, email)
    assert response.status_code in {200, 201}, response.text
    data = response.json()["data"]
    assert data.get("user", data)["email"] == email.lower()
    assert users_with(sql, email) == [data.get("user", data)["id"]]
    assert browser.login(email).status_code == 200


@every_email
@pytest.mark.parametrize("email", BAD_ADDRESSES.values(), ids=BAD_ADDRESSES.keys())
def test_bad_address(member: Member, sql: Sql, route: Route, field: str, email: str) -> None:
    """Not trimmed, not normalised, not guessed at."""
    assert bad_fields(call_with(member.browser, member.id, route, field, email)) == {"email"}
    assert users_with(sql, email) == []


LENIENT = ("a@b", "@", "x" * 149 + "@", " a @ b ", '"si am"@[127.0.0.1]', "a..b@c", "'; --@x")
STRICT = (
    "nobody",
    " ",
    "a@b@c",
    "x" * 150 + "@",
    "\xa0a@b",
    "a@b\u3000",
    "\x0ba@b",
    "a@b\x0c",
    "a@b\x1f",
    "a@b\x85",
    "a\t@b",
    "siäm@example.com",
    "siam@ex\u0430mple.com",
    "\u212aim@example.com",
)


@every_typed
@pytest.mark.parametrize("email", LENIENT)
def test_typed_address_may_be_anything_with_one_at(browser: Browser, route: Route, field: str, email: str) -> None:
    """Login and forgot-password: whatever an old database holds can be typed; unknown ones are refused as such."""
    response = call_with(browser, 0, route, field, email)
    expected = 401 if route.path == "/auth/login" else 200
    assert response.status_code == expected, response.text


@every_typed
@pytest.mark.parametrize("email", STRICT)
def test_typed_address_that_can_be_nobodys(browser: Browser, route: Route, field: str, email: str) -> None:
    """No look-alike finds an account by a database's idea of lower case."""
    assert bad_fields(call_with(browser, 0, route, field, email)) == {"email"}


def test_look_alike_hosts_are_distinct(browser: Browser) -> None:
    """The xn-- form of a look-alike is an address of its own, not the one that it looks like."""
    email = new_email()
    first = browser.register(email)
    second = browser.register(email.replace("example.com", "xn--exmple-cua.com"))
    assert first["id"] != second["id"]
    again = browser.post("/auth/register", {"name": "Siam", "email": first["email"], "password": PASSWORD})
    assert refused(again)[0] == 409
