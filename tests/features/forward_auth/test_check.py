"""GET /auth/check: who sent a request, for the app behind a proxy."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import Browser
from tests.kit.forging import genuine_access
from tests.kit.native_client import NativeClient
from tests.kit.postgres_proxy import proxy
from tests.kit.server import Server
from tests.kit.services import add_api_key
from tests.kit.stored import Sql, everything_of
from tests.kit.waiting import eventually
from tests.kit.wire import Wire

NAMES = (
    *("x-user-id", "x-user-role", "x-user-amr", "x-user-email", "x-user-name"),
    *("x-session-id", "x-auth-time", "x-actor-id"),
)


def told(response: httpx.Response) -> dict[str, str]:
    """What the app learns. It is always all of it, since some proxies pass on the client's own header for an absent
    one."""
    assert response.status_code == 204
    assert all(response.headers.get_list(name) == [response.headers[name]] for name in NAMES)
    return {name.removeprefix("x-"): response.headers[name] for name in NAMES}


@pytest.fixture
def phone(trusting: Server, wire: Wire) -> Iterator[NativeClient]:
    """A native client of the same server."""
    client = NativeClient(trusting, wire)
    yield client
    client.close()


def test_says_who_is_signed_in(visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql) -> None:
    """It writes nothing, is kept by no cache, and tells no name unasked."""
    user = visitor.sign_up()
    before = everything_of(sql, user["id"])
    claims = claims_of(visitor.cookies["accessToken"])
    response = ask()
    assert told(response) == {
        "user-id": str(user["id"]),
        "user-role": "user",
        "user-amr": "pwd",
        "user-email": "",
        "user-name": "",
        "session-id": claims["sid"],
        "auth-time": str(claims["auth_time"]),
        "actor-id": "",
    }
    assert response.content == b""
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers
    assert everything_of(sql, user["id"]) == before
    assert told(visitor.request("HEAD", "/auth/check", headers={"X-Forwarded-Method": "GET"})) == told(response)


def test_profile(visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql) -> None:
    """A header has no room for a name of any script, so it is percent-encoded. An address that anybody may have typed
    is not told."""
    user = visitor.sign_up()
    visitor.patch(f"/users/{user['id']}", {"name": "Zoë & Söhne, 株"})
    answer = told(ask("profile=1"))
    assert (answer["user-name"], answer["user-email"]) == ("Zo%C3%AB%20%26%20S%C3%B6hne%2C%20%E6%A0%AA", "")
    sql.execute("UPDATE users SET email_verified_at = now() WHERE id = %s", [user["id"]])
    assert told(ask("profile=1"))["user-email"] == user["email"]
    assert told(ask())["user-email"] == ""


@pytest.mark.parametrize("email", ["jürgen@example.com", "a@example.com\r\nX-User-Role: admin", "a b@example.com"])
def test_an_address_that_no_header_can_carry_is_not_told(
    visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql, email: str
) -> None:
    """Older programs have stored addresses of any form."""
    user = visitor.sign_up()
    mine = f"{user['id']}{email}"
    sql.execute("UPDATE users SET email = %s, email_verified_at = now() WHERE id = %s", [mine, user["id"]])
    answer = told(ask("profile=1"))
    assert (answer["user-email"], answer["user-role"]) == ("", "user")


def test_who_is_not_signed_in(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """An unverified address is no obstacle, but an expired token is: a check never refreshes."""
    assert ask(cookies={}).status_code == 401
    visitor.sign_up()
    token, cookies = genuine_access(visitor), dict(visitor.cookies)
    assert ask().status_code == 204
    for value in ("junk", token.changed(exp=1), cookies["refreshToken"]):
        assert ask(cookies=cookies | {"accessToken": value}).status_code == 401, value
    assert ask(cookies={"refreshToken": cookies["refreshToken"]}).status_code == 401
    twice = f"accessToken={token.token}; accessToken={token.token}"
    assert ask(Cookie=twice, cookies={}).status_code == 401
    visitor.post("/auth/logout")
    refused = ask(cookies=cookies)
    assert (refused.status_code, refused.content) == (401, b"")
    assert refused.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in refused.headers


def test_a_deleted_account(visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql) -> None:
    """The profile of an account that was deleted a moment ago is none."""
    user = visitor.sign_up()
    sql.execute("UPDATE users SET is_deleted = true WHERE id = %s", [user["id"]])
    assert ask("profile=1").status_code == 401


def test_a_native_client(visitor: Browser, ask: Callable[..., httpx.Response], phone: NativeClient) -> None:
    """It passes with its bearer token, without an Origin. The token tells what it lacks."""
    user = visitor.register()
    phone.login(user["email"])
    bearer = {"Authorization": f"Bearer {phone.access}"}
    for method in ("GET", "POST", None):
        assert told(ask("", method, cookies={}, **bearer))["user-id"] == str(user["id"])
    refused = ask(cookies={}, Authorization=f"Bearer {phone.access}x")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    refused = ask("maxAge=0", cookies={}, **bearer)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        403,
        'Bearer error="insufficient_user_authentication", max_age=0',
    )
    assert ask(cookies={"accessToken": phone.access}).status_code == 401, "a token of the other transport"


def test_two_credentials(visitor: Browser, ask: Callable[..., httpx.Response], phone: NativeClient, sql: Sql) -> None:
    """A proxy passes on no 400. API keys are for servers, which need no proxy to tell who they are."""
    user = visitor.sign_up()
    phone.login(user["email"])
    assert ask(Authorization=f"Bearer {phone.access}").status_code == 401
    assert ask(Authorization="Basic dXNlcjpwYXNz").status_code == 204
    key = add_api_key(sql, "tokens:introspect")
    assert ask(cookies={}, X_API_Key=key).status_code == 403


def test_roles(visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql) -> None:
    user = visitor.sign_up()
    assert ask("role=admin").status_code == 403
    sql.execute("UPDATE users SET role = 'admin' WHERE id = %s", [user["id"]])
    visitor.post("/auth/refresh-token")
    assert told(ask("role=admin"))["user-role"] == "admin"
    # As version 0.2 made them: then the database is asked.
    before = genuine_access(visitor)
    for claims in (
        before.claims | {"role": None},
        {k: v for k, v in before.claims.items() if k not in {"role", "amr"}},
    ):
        assert told(ask("role=admin", cookies={"accessToken": before.signed(claims)}))["user-role"] == "admin"
    sql.execute("UPDATE users SET role = 'user' WHERE id = %s", [user["id"]])
    old = before.changed(without="role")
    assert ask("role=admin", cookies={"accessToken": old}).status_code == 403
    assert told(ask(cookies={"accessToken": old}))["user-role"] == "user"


def test_how_long_ago_somebody_signed_in(visitor: Browser, ask: Callable[..., httpx.Response], sql: Sql) -> None:
    """A token that says too long ago is a copy. The session's row may say that the user has confirmed since."""
    user = visitor.sign_up()
    assert ask("maxAge=60").status_code == 204
    assert ask("maxAge=0").status_code == 403
    assert ask("maxAge=2147483647").status_code == 204
    hour_old = "UPDATE sessions SET created_at = created_at - interval '1 hour' WHERE user_id = %s"
    sql.execute(hour_old, [user["id"]])
    assert ask("maxAge=60").status_code == 204, "the token is good for its five minutes"
    visitor.post("/auth/refresh-token")
    before = told(ask("maxAge=3700"))["auth-time"]
    assert ask("maxAge=3500").status_code == 403
    assert ask().status_code == 204
    sql.execute("UPDATE sessions SET authenticated_at = now(), amr = '{pwd,otp,mfa}' WHERE user_id = %s", [user["id"]])
    confirmed = told(ask("maxAge=60"))
    assert int(confirmed["auth-time"]) >= int(before) + 3600
    assert confirmed["user-amr"] == "pwd,otp,mfa"


def test_somebody_acts_for_the_user(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    visitor.sign_up()
    token = genuine_access(visitor).changed(act={"sub": "7"})
    assert told(ask(cookies={"accessToken": token}))["actor-id"] == "7"


@pytest.mark.parametrize(
    "query",
    [
        *("role=user", "role=", "role", "role=admin&role=admin", "Role=admin"),
        *(
            "maxAge=-1",
            "maxAge=",
            "maxAge=+5",
            "maxAge=1.5",
            "maxAge=2147483648",
            "maxAge=99999999999",
            "maxAge=%D9%A1",
        ),
        *("maxAge=60&maxAge=60", "maxage=60", "profile=0", "profile=true", "profile=1&profile=1", "redirect=yes"),
        *("token=x", "redirect=1&x", "a=1&a=2"),
    ],
)
def test_a_bad_query_lets_nobody_pass(visitor: Browser, ask: Callable[..., httpx.Response], query: str) -> None:
    """A misspelt question must not be taken for no question."""
    visitor.sign_up()
    assert ask(query).status_code == 401
    assert ask("").status_code == 204


def test_a_bad_query_is_logged_once(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """The answer cannot say what is wrong with the proxy's configuration."""
    server = start()
    browser = open_browser(server)
    browser.sign_up()
    for _ in range(3):
        browser.get("/auth/check?rôle=admin")
    assert server.printed().count("checks of a proxy are refused for their query") == 1


def test_what_the_edge_refuses_is_an_answer_for_proxies(visitor: Browser, ask: Callable[..., httpx.Response]) -> None:
    """nginx answers 500 for any status but 401 and 403."""
    visitor.sign_up()
    assert ask(Host="two hosts").status_code == 401
    sent = {"X-Forwarded-Method": "GET", "Content-Type": "text/plain"}
    large = visitor.request("GET", "/auth/check", content=b"x" * 50_000, headers=sent)
    assert large.status_code == 204, "the body is the app's, and not read"
    assert ask(X_Client_Type="native", Sec_Fetch_Site="same-origin").status_code == 403
    preflight = {"Origin": "https://www.example.com", "Access-Control-Request-Method": "GET"}
    assert visitor.request("OPTIONS", "/auth/check", headers=preflight).status_code == 405, "no 204 to pass with"


def test_without_the_database(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str
) -> None:
    """503, and never that somebody is signed out."""
    with proxy(database) as line:
        browser = open_browser(start(dsn=line.dsn, TRUSTED_PROXIES="127.0.0.1"))
        browser.sign_up()
        asked = {"X-Forwarded-Method": "GET"}
        assert browser.get("/auth/check?profile=1", headers=asked).status_code == 204
        with line.paused():
            answer = browser.get("/auth/check?profile=1", headers=asked)
            assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (503, b"", "2")
            eventually(lambda: browser.get("/auth/check", headers=asked).status_code == 503, "the feed is cut")
        eventually(lambda: browser.get("/auth/check", headers=asked).status_code == 204, "the database is back")
