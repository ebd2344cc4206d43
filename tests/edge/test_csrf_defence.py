"""What a hostile page can and cannot send: the token pair and the origin rule."""

import itertools
from collections.abc import Callable

import pytest

from tests.kit.browser import Browser, refused
from tests.kit.routes import LIST, PATCH, PROTECTED, UNSAFE, Route
from tests.kit.server import Server
from tests.kit.stored import Sql, everything_of, user_row

REFUSED = (403, "EBADCSRFTOKEN", "invalid csrf token")

NAMES = ("X-CSRF-Token", "csrf-token", "X-XSRF-TOKEN", "XSRF-TOKEN")


def _flipped(token: str) -> str:
    middle = len(token) // 2
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


BAD_TOKENS: dict[str, Callable[[str, str], str]] = {
    "empty": lambda token, cookie: "",
    "flipped": lambda token, cookie: _flipped(token),
    "cut": lambda token, cookie: token[:-1],
    "grown": lambda token, cookie: token + "A",
    "10 kB": lambda token, cookie: token + "A" * 10_000,
    "the cookie itself": lambda token, cookie: cookie,
    "nonce of one, signature of the other": lambda token, cookie: token.split(".")[0] + "." + cookie.split(".")[1],
    "seed of one, signature of the other": lambda token, cookie: cookie.split(".")[0] + "." + token.split(".")[1],
    "twice": lambda token, cookie: f"{token}, {token}",
    "padded": lambda token, cookie: token + "=",
    "quoted": lambda token, cookie: f'"{token}"',
    "null": lambda token, cookie: "null",
}
OURS = "http://127.0.0.1:{port}"
REFUSED_ORIGINS: dict[str, dict[str, str]] = {
    "evil": {"Origin": "https://evil.test"},
    "null": {"Origin": "null"},
    "empty": {"Origin": ""},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "no port": {"Origin": "http://127.0.0.1"},
    "our host as a prefix": {"Origin": OURS + ".evil.test"},
    "our host as a user": {"Origin": OURS + "@evil.test"},
    "our host as a fragment": {"Origin": "http://evil.test#" + OURS},
    "our host in the path": {"Origin": "http://evil.test/" + OURS},
    "our host after a user": {"Origin": "http://evil@127.0.0.1:{port}"},
    "our host before a path": {"Origin": OURS + "/"},
    "our host before a query": {"Origin": OURS + "?x"},
    "our host with a tab in it": {"Origin": "http://127.0.0.1\t:{port}"},
    "our host in capitals": {"Origin": "HTTP://127.0.0.1:{port}"},
    "our host, no port but a colon": {"Origin": "http://127.0.0.1:"},
    "two": {"Origin": OURS + ", https://evil.test"},
    "another scheme": {"Origin": "file://127.0.0.1:{port}"},
    "a bad port": {"Origin": "http://127.0.0.1:port"},
    "an allowed one, in capitals": {"Origin": "HTTP://LOCALHOST:5173"},
    "an allowed one's neighbour": {"Origin": "http://localhost:5174"},
    "cross-site without Origin": {"Sec-Fetch-Site": "cross-site"},
    "cross-site from our own": {"Origin": OURS, "Sec-Fetch-Site": "cross-site"},
    "evil that says it is same-origin": {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
}
ACCEPTED_ORIGINS: dict[str, dict[str, str]] = {
    "none": {},
    "our own": {"Origin": OURS},
    "that of PUBLIC_URL": {"Origin": "http://localhost:{port}"},
    "an allowed one": {"Origin": "http://localhost:5173"},
    "an allowed one, cross-site": {"Origin": "http://localhost:3001", "Sec-Fetch-Site": "cross-site"},
    "same-origin": {"Sec-Fetch-Site": "same-origin"},
    "same-site": {"Origin": OURS, "Sec-Fetch-Site": "same-site"},
    "typed by hand": {"Sec-Fetch-Site": "none"},
}


def rename(
    browser: Browser, user_id: int, headers: dict[str, str], name: str = "Renamed"
) -> tuple[int, str, str] | int:
    """Changes the user's name: the refusal, or the status of the success."""
    filled = {key: value.replace("{port}", str(browser.server.port)) for key, value in headers.items()}
    response = browser.patch(f"/users/{user_id}", {"name": name}, headers=filled)
    return response.status_code if response.status_code == 200 else refused(response)


def assert_cross_site(answer: object) -> None:
    """A refusal by the origin rule, whose cause `latchkey dev` adds to the message."""
    assert isinstance(answer, tuple)
    assert answer[:2] == REFUSED[:2]
    assert str(answer[2]).startswith(f"{REFUSED[2]}: ")


@pytest.mark.parametrize("spoil", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_spoilt_token_is_refused(browser: Browser, sql: Sql, spoil: Callable[[str, str], str]) -> None:
    """Only a whole token that we made for this very cookie passes."""
    user = browser.sign_up()
    bad = spoil(browser.fetch_csrf(), browser.cookies["_csrf"])
    before = everything_of(sql, user["id"])
    assert rename(browser, user["id"], {"X-CSRF-Token": bad}) == REFUSED
    assert rename(browser, user["id"], {"csrf-token": bad, "X-CSRF-Token": ""}) == REFUSED
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_the_header_is_read(browser: Browser, name: str) -> None:
    """All that csurf read: clients of node-api-postgres may send any of them."""
    user = browser.sign_up()
    token = browser.fetch_csrf()
    path, body = f"/users/{user['id']}", {"name": "Renamed"}
    assert browser.patch(path, body, headers={name: token}, with_csrf=False).status_code == 200
    assert browser.patch(path, body, headers={name.lower(): token}, with_csrf=False).status_code == 200
    bad = {name: _flipped(token)}
    assert refused(browser.patch(path, body, headers=bad, with_csrf=False)) == REFUSED
    assert refused(browser.patch(path, body, headers={name: ""}, with_csrf=False)) == REFUSED


@pytest.mark.parametrize(("name", "second"), list(itertools.permutations(NAMES, 2)))
def test_all_headers_must_say_the_same(browser: Browser, name: str, second: str) -> None:
    """All are read, and none wins."""
    user = browser.sign_up()
    token, other = browser.fetch_csrf(), browser.fetch_csrf()

    def renamed(**headers: str) -> int:
        path, body = f"/users/{user['id']}", {"name": "Renamed"}
        return browser.patch(path, body, headers=headers, with_csrf=False).status_code

    assert renamed(**{name: token, second: token}) == 200
    assert renamed(**{name: token, second: other}) == 403
    assert renamed(**{name: token, second: ""}) == 403
    assert renamed(**dict.fromkeys(NAMES, token)) == 200
    assert renamed(**dict.fromkeys(NAMES, token) | {second: other}) == 403


def test_the_token_counts_in_its_header_alone(browser: Browser) -> None:
    user = browser.sign_up()
    token = browser.fetch_csrf()
    for path in (f"?_csrf={token}", f"?csrfToken={token}&X-CSRF-Token={token}"):
        body = {"name": "Renamed", "_csrf": token, "csrfToken": token}
        response = browser.patch(f"/users/{user['id']}{path}", body, with_csrf=False)
        assert refused(response) == REFUSED


def test_a_cookie_planted_by_somebody_else_is_refused(browser: Browser, open_browser: Callable[..., Browser]) -> None:
    """A token of one cookie is none of another's, and two cookies are none."""
    user, other = browser.sign_up(), open_browser()
    token, mine = browser.fetch_csrf(), browser.cookies["_csrf"]
    foreign = other.fetch_csrf()
    assert rename(browser, user["id"], {"X-CSRF-Token": foreign}) == REFUSED
    browser.cookies["_csrf"] = other.cookies["_csrf"]
    assert rename(browser, user["id"], {"X-CSRF-Token": token}) == REFUSED
    browser.cookies["_csrf"] = mine
    assert rename(browser, user["id"], {"X-CSRF-Token": token}) == 200
    for pair in ((mine, mine), (mine, other.cookies["_csrf"])):
        header = f"accessToken={browser.cookies['accessToken']}; _csrf={pair[0]}; _csrf={pair[1]}"
        assert rename(browser, user["id"], {"X-CSRF-Token": token, "Cookie": header}) == REFUSED


@pytest.mark.parametrize("headers", REFUSED_ORIGINS.values(), ids=REFUSED_ORIGINS)
def test_a_cross_site_request_is_refused_with_a_good_token(browser: Browser, sql: Sql, headers: dict[str, str]) -> None:
    """It is not bound to a session, so a page that got hold of one
    must still be of ours."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    assert_cross_site(rename(browser, user["id"], headers))
    assert everything_of(sql, user["id"]) == before


@pytest.mark.parametrize("headers", ACCEPTED_ORIGINS.values(), ids=ACCEPTED_ORIGINS)
def test_our_own_pages_and_allowed_ones_pass(browser: Browser, sql: Sql, headers: dict[str, str]) -> None:
    user = browser.sign_up()
    assert rename(browser, user["id"], headers, "Renamed by rule") == 200
    assert user_row(sql, user["id"])["name"] == "Renamed by rule"


def test_our_origin_is_that_of_public_url_whole(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """A page that somebody on the way serves over http in our name is none of ours, whatever Host says."""
    browser = open_browser(start(PUBLIC_URL="https://accounts.test/base"))
    user = browser.sign_up()
    for origin, host in (
        ("http://accounts.test", "accounts.test"),
        ("https://accounts.test:444", "accounts.test:444"),
        ("http://127.0.0.1:{port}", "127.0.0.1:{port}"),
        ("http://localhost:{port}", "localhost:{port}"),
        ("https://accounts.test.evil.test", "accounts.test"),
    ):
        assert_cross_site(rename(browser, user["id"], {"Origin": origin, "Host": host}))
    for host in ("accounts.test", "127.0.0.1:{port}"):
        assert rename(browser, user["id"], {"Origin": "https://accounts.test", "Host": host}) == 200
    assert rename(browser, user["id"], {}) == 200


@pytest.mark.parametrize("route", UNSAFE, ids=str)
def test_every_unsafe_route_is_behind_the_origin_rule(browser: Browser, sql: Sql, route: Route) -> None:
    """A page elsewhere can sign nobody in, out or up."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert_cross_site(refused(route.call(browser, user["id"], headers=headers)))
        assert browser.set_cookies == []
    assert everything_of(sql, user["id"]) == before


def test_safe_methods_change_nothing(browser: Browser, sql: Sql) -> None:
    """GET, HEAD and OPTIONS leave every row as it was, on every path."""
    user = browser.sign_up()
    before = everything_of(sql, user["id"])
    for route in (*UNSAFE, *PROTECTED, LIST):
        for method in ("GET", "HEAD", "OPTIONS"):
            browser.request(method, route.path.format(id=user["id"]))
            browser.request(method, route.path.format(id=user["id"]), headers={"X-HTTP-Method-Override": "DELETE"})
    assert everything_of(sql, user["id"]) == before
    assert PATCH.call(browser, user["id"]).status_code == 200
    assert everything_of(sql, user["id"]) != before


def test_refusals_count_against_the_rate_limit(
    start: Callable[..., Server], open_browser: Callable[..., Browser]
) -> None:
    """The 101st request is 429."""
    browser, guess = open_browser(start(RATE_LIMIT="100/15 minutes")), {"X-CSRF-Token": "guess"}
    answers = [browser.post("/auth/logout", headers=guess, with_csrf=False) for _ in range(200)]
    assert {refused(answer) for answer in answers[:100]} == {REFUSED}
    assert {answer.status_code for answer in answers[100:]} == {429}
    assert answers[99].headers["ratelimit-remaining"] == "0"
