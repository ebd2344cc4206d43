"""Phone apps and scripts: they sign in without cookies, keep their tokens, and send no CSRF token."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.kit.answers import claims_of, succeeded
from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.native_client import NativeClient
from tests.kit.routes import NEW_PASSWORD
from tests.kit.server import Server
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions

INVALID = (401, "INVALID_TOKEN", "Invalid token")
REFRESH_INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
UNAUTHORIZED = (401, "UNAUTHORIZED", "Unauthorized")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
MONTH = 30 * 86_400


@pytest.fixture
def email(browser: Browser) -> str:
    """The address of an account."""
    return str(browser.register()["email"])


def test_signs_in_works_refreshes_and_signs_out(native: NativeClient, email: str, sql: Sql) -> None:
    """The whole life of a session without a cookie."""
    response = native.login(email)
    assert response.status_code == 200
    data = response.json()["data"]
    user, tokens = data["user"], data["tokens"]
    assert tokens.keys() == {
        *("accessToken", "refreshToken", "tokenType", "expiresIn", "refreshExpiresIn", "deviceToken")
    }
    assert (tokens["tokenType"], tokens["expiresIn"], tokens["refreshExpiresIn"]) == ("Bearer", 300, MONTH)
    for token in (native.access, native.refresh):
        assert claims_of(token)["via"] == "bearer"
    # Rounded up, it would be in the future for a verifier.
    assert 0 <= time.time() - claims_of(native.access)["auth_time"] < 60
    (session,) = live_sessions(sql, user["id"])
    assert session["transport"] == "bearer"
    (row,) = [row for row in audit_rows(sql, response) if row["action"] == "LOGIN"]
    assert (row["metadata"]["transport"], row["metadata"]["amr"]) == ("bearer", ["pwd"])

    assert native.get("/auth/me").json()["data"] == user
    changed = native.request("PATCH", f"/users/{user['id']}", {"name": "Renamed"})
    assert changed.json()["data"]["name"] == "Renamed"
    (listed,) = native.get("/auth/sessions").json()["data"]
    assert (listed["transport"], listed["current"]) == ("bearer", True)

    first = native.access
    status, message, data = succeeded(native.renew())
    assert (status, message) == (200, "Token refreshed")
    assert data["tokens"].keys() == tokens.keys() - {"deviceToken"}
    assert native.access != first
    assert native.get("/auth/me").status_code == 200

    assert succeeded(native.post("/auth/logout")) == (200, "Logged out successfully", None)
    assert refused(native.get("/auth/me")) == INVALID
    assert endings(sql, user["id"]) == ["logout"]


def test_a_native_client_needs_no_type_once_it_has_a_token(native: NativeClient, email: str) -> None:
    """`Authorization: Bearer` alone says enough: what a proxy or another program adds or drops does not matter."""
    user = native.login(email).json()["data"]["user"]
    assert native.get("/auth/me", native=False).json()["data"] == user
    assert native.request("PATCH", f"/users/{user['id']}", {"name": "Bare"}, native=False).status_code == 200
    answer = native.post("/auth/refresh-token", {"refreshToken": native.refresh}, native=False)
    assert native.keep(answer)["tokenType"] == "Bearer"
    assert native.post("/auth/logout", native=False).status_code == 200


def test_a_wrong_password_gives_nothing(native: NativeClient, email: str) -> None:
    assert refused(native.login(email, "wrong")) == (401, "UNAUTHORIZED", "Invalid credentials")
    assert native.access == ""


def test_a_page_cannot_pass_for_a_native_client(native: NativeClient, email: str, sql: Sql) -> None:
    """A page can drop neither header, so no script turns httpOnly cookies into tokens that it can read."""
    before = sql.execute("SELECT count(*) AS n FROM sessions").fetchone()
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}):
        for path in ("/auth/login", "/auth/refresh-token", "/auth/logout", "/auth/forgot-password"):
            answer = native.post(path, {"email": email, "password": PASSWORD}, headers=header)
            assert refused(answer) == (403, "NOT_FOR_BROWSERS", "This is not for browsers")
    assert sql.execute("SELECT count(*) AS n FROM sessions").fetchone() == before


def test_a_web_view_of_a_known_app_is_native(
    start: Callable[..., Server], open_native: Callable[..., NativeClient], open_browser: Callable[..., Browser]
) -> None:
    """Its pages read answers, but never with cookies."""
    server = start(NATIVE_ORIGINS="tauri://localhost")
    email = open_browser(server).register()["email"]
    native = open_native(server)
    app = {"Origin": "tauri://localhost", "Sec-Fetch-Site": "cross-site"}
    answer = native.post("/auth/login", {"email": email, "password": PASSWORD}, headers=app)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "tauri://localhost"
    assert "access-control-allow-credentials" not in answer.headers
    preflight = native.request(
        "OPTIONS",
        "/auth/login",
        headers={
            "Origin": "tauri://localhost",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-client-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-headers"] == "content-type,x-client-type"
    other = native.post("/auth/login", {"email": email, "password": PASSWORD}, headers={"Origin": "tauri://other"})
    assert refused(other)[1] == "NOT_FOR_BROWSERS"


def test_a_refresh_token_works_once(native: NativeClient, email: str, sql: Sql) -> None:
    """Its second use is theft, as with cookies: all sessions end."""
    user_id = native.login(email).json()["data"]["user"]["id"]
    spent = native.refresh
    assert native.renew().status_code == 200
    response = native.renew(spent)
    assert refused(response) == REUSED
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user_id, user_id)]
    assert refused(native.get("/auth/me")) == INVALID


def test_tokens_do_not_change_their_way(native: NativeClient, browser: Browser, email: str, sql: Sql) -> None:
    """A cookie's token as a bearer token and the reverse: refused, and nothing ends."""
    user_id = native.login(email).json()["data"]["user"]["id"]
    browser.login(email)
    cookie_access, cookie_refresh = browser.cookies["accessToken"], browser.cookies["refreshToken"]
    before = everything_of(sql, user_id)
    assert refused(native.get("/auth/me", bearer=cookie_access)) == INVALID
    assert refused(browser.get("/auth/me", cookies={"accessToken": native.access})) == INVALID
    assert refused(native.post("/auth/refresh-token", {"refreshToken": cookie_refresh}, bearer="")) == REFRESH_INVALID
    csrf = {"_csrf": browser.cookies["_csrf"]}
    as_cookie = browser.post("/auth/refresh-token", cookies=csrf | {"refreshToken": native.refresh})
    assert refused(as_cookie) == REFRESH_INVALID
    # A logout with them is acknowledged like one with any token that names no session.
    assert native.post("/auth/logout", {"refreshToken": cookie_refresh}, bearer=cookie_access).status_code == 200
    named = {"accessToken": native.access, "refreshToken": native.refresh}
    assert browser.post("/auth/logout", cookies=csrf | named).status_code == 200
    assert everything_of(sql, user_id) == before
    # Also once the tokens are remembered as genuine.
    assert native.get("/auth/me").status_code == 200
    assert refused(browser.get("/auth/me", cookies={"accessToken": native.access})) == INVALID


def test_two_credentials_are_not_guessed_at(native: NativeClient, browser: Browser, email: str) -> None:
    native.login(email)
    browser.login(email)
    cookies = {"Cookie": f"accessToken={browser.cookies['accessToken']}"}
    ambiguous = (400, "AMBIGUOUS_CREDENTIALS", "Send cookies, a bearer token or an API key, not two")
    for method, path in (("GET", "/auth/me"), ("POST", "/auth/refresh-token"), ("POST", "/auth/logout")):
        for is_native in (True, False):
            assert refused(native.request(method, path, headers=cookies, native=is_native)) == ambiguous
    # Any non-empty cookie of ours, and native without a token, too. An empty one is none.
    assert refused(native.get("/auth/me", headers={"Cookie": "refreshToken=x"}, bearer="")) == ambiguous
    assert native.get("/auth/me", headers={"Cookie": "accessToken=; other=1"}).status_code == 200
    # Another scheme says nothing about Latchkey: a proxy in front may need it.
    basic = browser.get("/auth/me", headers={"Authorization": "Basic dTpw"})
    assert basic.status_code == 200
    # Where no credentials are asked for, a bearer token of no native client is ignored.
    ignored = {"Authorization": "Bearer a.b.c"}
    assert browser.post("/auth/login", {"email": email, "password": PASSWORD}, headers=ignored).status_code == 200


def test_bearer_without_a_token_says_nothing(native: NativeClient, browser: Browser, email: str) -> None:
    """`Bearer null` is what a script sends that has lost its token: beside cookies it is ignored, alone refused."""
    browser.login(email)
    for value in ("Bearer", "Bearer null", "bearer undefined", "Bearer a.b", "Bearer a.b.c, Bearer d.e.f"):
        assert browser.get("/auth/me", headers={"Authorization": value}).status_code == 200
        alone = native.get("/auth/me", headers={"Authorization": value}, native=False)
        assert refused(alone) == INVALID
        csrf_asked = native.request("PATCH", "/users/1", {}, headers={"Authorization": value}, native=False)
        assert refused(csrf_asked)[1] == "EBADCSRFTOKEN"
    assert refused(native.get("/auth/me", bearer="")) == UNAUTHORIZED


def test_refusals_name_the_scheme(native: NativeClient, email: str) -> None:
    """RFC 6750: a bearer client reads from the header what is wrong."""
    user_id = native.login(email).json()["data"]["user"]["id"]
    native.post("/auth/logout")
    ended = native.get("/auth/me", native=False)
    assert (ended.status_code, ended.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    native.login(email)
    foreign = native.request("PATCH", f"/users/{user_id + 1}", {"name": "Not mine"}, native=False)
    assert (foreign.status_code, foreign.headers["www-authenticate"]) == (403, "Bearer")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, (401, "INVALID_REQUEST", "Refresh token required")),
        ({}, (401, "INVALID_REQUEST", "Refresh token required")),
        ({"refreshToken": ""}, (400, "VALIDATION_ERROR", "Validation failed")),
        ({"refreshToken": 7}, (400, "VALIDATION_ERROR", "Validation failed")),
        ({"refreshToken": "junk"}, REFRESH_INVALID),
        ([], (400, "INVALID_REQUEST", "Malformed JSON body")),
    ],
)
def test_bodies_of_a_refresh(native: NativeClient, body: object, expected: tuple[int, str, str]) -> None:
    assert refused(native.post("/auth/refresh-token", body)) == expected


def test_logout_takes_either_token_even_expired(open_native: Callable[..., NativeClient], email: str, sql: Sql) -> None:
    by_access, by_refresh, by_both = open_native(), open_native(), open_native()
    user_id = by_access.login(email).json()["data"]["user"]["id"]
    for client in (by_refresh, by_both):
        client.login(email)
    assert by_access.post("/auth/logout").status_code == 200
    assert endings(sql, user_id) == ["logout", None, None]
    assert by_refresh.post("/auth/logout", {"refreshToken": by_refresh.refresh}, bearer="").status_code == 200
    assert by_both.post("/auth/logout", {"refreshToken": by_both.refresh}).status_code == 200
    assert endings(sql, user_id) == ["logout"] * 3
    assert refused(by_both.post("/auth/logout", bearer="")) == UNAUTHORIZED


def test_signing_in_again_ends_the_session_of_the_bearer_token(native: NativeClient, email: str, sql: Sql) -> None:
    """As a browser's login ends the session of its cookies."""
    user_id = native.login(email).json()["data"]["user"]["id"]
    first = native.access
    assert native.login(email).status_code == 200
    assert endings(sql, user_id) == ["login", None]
    assert refused(native.get("/auth/me", bearer=first)) == INVALID


def test_a_new_password_gives_new_tokens(native: NativeClient, email: str, sql: Sql) -> None:
    user_id = native.login(email).json()["data"]["user"]["id"]
    spent = native.access
    answer = native.post("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD})
    assert succeeded(answer)[1] == "Password changed successfully"
    assert native.keep(answer)["refreshExpiresIn"] == MONTH
    assert refused(native.get("/auth/me", bearer=spent)) == INVALID
    assert native.get("/auth/me").status_code == 200
    assert endings(sql, user_id) == ["password-change", None]
    assert [session["transport"] for session in live_sessions(sql, user_id)] == ["bearer"]


def test_a_known_phone_keeps_its_own_count_of_guesses(
    native: NativeClient, open_native: Callable[..., NativeClient], email: str
) -> None:
    """Strangers' guesses do not slow down the owner, whose app sends the device token back."""
    assert native.login(email).status_code == 200
    stranger = open_native()
    for _ in range(5):
        assert stranger.login(email, "wrong").status_code == 401
    assert stranger.login(email, "wrong").status_code == 429
    assert native.login(email).status_code == 200
    native.device = "junk"
    assert native.login(email).status_code == 429


def test_refreshing_with_the_body_of_a_cookie_client_changes_nothing(browser: Browser) -> None:
    """A browser's refresh reads no body, as ever."""
    browser.sign_up()
    assert browser.post("/auth/refresh-token", {"refreshToken": 7}).status_code == 200
    assert browser.post("/auth/logout", content=b"{").status_code == 200


def test_an_unknown_type_of_client_is_a_browser(native: NativeClient) -> None:
    answer = native.post(
        "/auth/login",
        {"email": new_email(), "password": PASSWORD},
        headers={"X-Client-Type": "phone"},
        native=False,
    )
    assert refused(answer)[1] == "EBADCSRFTOKEN"


def test_a_token_of_an_unknown_session_is_reuse_as_with_cookies(native: NativeClient, email: str) -> None:
    native.login(email)
    assert refused(native.renew(native.refresh[:-4] + "AAAA")) == REFRESH_INVALID
    assert native.get(f"/auth/sessions?limit={1}").status_code == 200
    assert refused(native.request("DELETE", f"/auth/sessions/{uuid4()}"))[1] == "SESSION_NOT_FOUND"
