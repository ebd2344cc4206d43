"""The examples, exactly as they are, each on a real server."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.apps import EXAMPLES, GRANIAN, GUNICORN, UVICORN, App, running_app
from tests.kit.issuer import API_KEY, Issuer, running_issuer
from tests.kit.waiting import eventually

SERVERS = {
    "fastapi on uvicorn": ("fastapi", UVICORN),
    "fastapi on granian": ("fastapi", GRANIAN),
    "starlette on uvicorn": ("starlette", UVICORN),
    "flask on gunicorn": ("flask", GUNICORN),
    "django on gunicorn": ("django", GUNICORN),
}


@pytest.fixture(scope="module")
def latchkey() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module", params=SERVERS.values(), ids=list(SERVERS))
def app(request: pytest.FixtureRequest, latchkey: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    example, server = request.param
    variables = {"LATCHKEY_URL": latchkey.url, "LATCHKEY_API_KEY": API_KEY}
    with running_app(EXAMPLES / example, server, tmp_path_factory.mktemp("app") / "log", variables) as app:
        yield app


@pytest.fixture
def user_id() -> int:
    """A user of this test's own."""
    return uuid.uuid4().int % 2**31 or 1


@pytest.fixture
def token(latchkey: Issuer, user_id: int) -> Callable[..., str]:
    """Makes tokens of the test's user."""
    own: dict[str, Any] = {"id": user_id, "sub": str(user_id)}
    return lambda **claims: latchkey.token(**(own | claims))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}".strip()}


def cookie(token: str, **headers: str) -> dict[str, str]:
    return {"Cookie": f"theme=dark; accessToken={token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """The status, code and message of a refusal, which has the form that the browser client renews by."""
    body: dict[str, Any] = response.json()
    assert body.keys() == {"success", "message", "code"}, body
    assert body["success"] is False
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, body["code"], body["message"]


UNAUTHORIZED = (401, "UNAUTHORIZED", "Unauthorized")
INVALID = (401, "INVALID_TOKEN", "Invalid token")
EXPIRED = (401, "TOKEN_EXPIRED", "Token expired")
AMBIGUOUS = (401, "AMBIGUOUS_CREDENTIALS", "Send cookies, a bearer token or an API key, not two")
FORBIDDEN = (403, "FORBIDDEN", "You are not allowed to perform this action")
TOO_OLD = (403, "REAUTHENTICATION_REQUIRED", "Confirm that it is you")


def test_a_user_keeps_notes(app: App, token: Callable[..., str]) -> None:
    headers = bearer(token())
    assert app.client.get("/notes", headers=headers).json() == []
    assert app.client.post("/notes", params={"text": "milk"}, headers=headers).json() == ["milk"]
    assert app.client.get("/notes", headers=bearer(token())).json() == ["milk"], "another session of the same user"


def test_users_see_only_their_own(app: App, token: Callable[..., str], user_id: int) -> None:
    app.client.post("/notes", params={"text": "secret"}, headers=bearer(token()))
    stranger = user_id + 1
    assert app.client.get("/notes", headers=bearer(token(id=stranger, sub=str(stranger)))).json() == []


def test_without_a_token(app: App) -> None:
    response = app.client.get("/notes")
    assert refusal(response) == UNAUTHORIZED
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_bearer_token_that_is_refused(app: App, token: Callable[..., str]) -> None:
    for text, expected in (
        (token(exp=int(time.time()) - 1), EXPIRED),
        (token(iss="https://evil.example.com"), INVALID),
        (token()[:-6] + "AAAAAA", INVALID),
        ("null", INVALID),
        ("", INVALID),
    ):
        response = app.client.get("/notes", headers=bearer(text))
        assert refusal(response) == expected
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_other_schemes_are_ignored(app: App, token: Callable[..., str]) -> None:
    assert refusal(app.client.get("/notes", headers={"Authorization": "Basic YTpi"})) == UNAUTHORIZED
    headers = cookie(token()) | {"Authorization": "Basic YTpi"}
    assert app.client.get("/notes", headers=headers).status_code == 200


def test_the_scheme_is_case_insensitive(app: App, token: Callable[..., str]) -> None:
    assert app.client.get("/notes", headers={"Authorization": f"bearer {token()}"}).status_code == 200


def test_a_cookie_reads_from_anywhere(app: App, token: Callable[..., str]) -> None:
    """Reading changes nothing, and a page of another origin cannot see the answer."""
    assert app.client.get("/notes", headers=cookie(token())).status_code == 200
    assert app.client.get("/notes", headers=cookie(token(), Origin="https://evil.example.com")).status_code == 200
    assert refusal(app.client.get("/notes", headers=cookie("null"))) == INVALID
    assert refusal(app.client.get("/notes", headers=cookie(""))) == UNAUTHORIZED


def test_a_cookie_changes_things_only_for_the_apps_own_pages(app: App, token: Callable[..., str]) -> None:
    allowed = [
        {"Origin": app.url},
        {"Origin": app.url.replace("http:", "https:")},
        {"Sec_Fetch_Site": "same-origin"},
    ]
    refused = [
        {},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": f"{app.url}.evil.example.com"},
        {"Origin": f"{app.url}/"},
        {"Origin": f"{app.url}, https://evil.example.com"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://evil.example.com", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
    ]
    for headers in allowed:
        response = app.client.post("/notes", params={"text": "a"}, headers=cookie(token(), **headers))
        assert response.status_code == 200, headers
    for headers in refused:
        response = app.client.post("/notes", params={"text": "b"}, headers=cookie(token(), **headers))
        assert refusal(response) == FORBIDDEN, headers
    assert app.client.get("/notes", headers=bearer(token())).json() == ["a"] * len(allowed)


def test_a_bearer_token_needs_no_origin(app: App, token: Callable[..., str]) -> None:
    headers = bearer(token()) | {"Origin": "https://other.example.com"}
    assert app.client.post("/notes", params={"text": "a"}, headers=headers).json() == ["a"]


def test_cookie_and_bearer_token_together(app: App, token: Callable[..., str]) -> None:
    text = token()
    response = app.client.get("/notes", headers=cookie(text) | bearer(text))
    assert refusal(response) == AMBIGUOUS
    # Pages that have no token send this. They mean their cookie.
    for nothing in ("null", "undefined", "", "a.b"):
        assert app.client.get("/notes", headers=cookie(text) | bearer(nothing)).status_code == 200
    assert app.client.get("/notes", headers={"Cookie": "accessToken="} | bearer(text)).status_code == 200


def test_a_cookie_that_comes_twice(app: App, token: Callable[..., str]) -> None:
    first, second = token(), token()
    same = {"Cookie": f"accessToken={first}; accessToken={first}"}
    different = {"Cookie": f"accessToken={first}; accessToken={second}"}
    assert app.client.get("/notes", headers=same).status_code == 200
    assert refusal(app.client.get("/notes", headers=different)) == INVALID


def test_a_cookie_whose_name_only_looks_like_ours_is_another(app: App, token: Callable[..., str]) -> None:
    """A sibling domain may set such a cookie. Python's str.strip() would make it ours."""
    for odd in ("\xa0accessToken", "accessToken\xa0", "\x85accessToken", "AccessToken", "accessToken "):
        headers = [(b"Cookie", f"{odd}={token()}".encode("latin-1"))]
        expected = 200 if odd == "accessToken " else 401
        assert app.client.get("/notes", headers=headers).status_code in {expected, 400}, odd


def test_two_authorization_headers(app: App, token: Callable[..., str]) -> None:
    headers = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token()}")]
    assert refusal(app.client.get("/notes", headers=headers)) == INVALID


def test_only_a_recent_admin_clears_all_notes(app: App, token: Callable[..., str]) -> None:
    def clear(**claims: Any) -> httpx.Response:
        return app.client.post("/notes/clear", headers=bearer(token(**claims)))

    now = int(time.time())
    assert refusal(clear()) == FORBIDDEN
    assert refusal(clear(role=...)) == FORBIDDEN
    assert refusal(clear(role="Admin")) == FORBIDDEN
    too_old = clear(role="admin", auth_time=now - 960)
    assert refusal(too_old) == TOO_OLD
    assert too_old.headers["WWW-Authenticate"] == ('Bearer error="insufficient_user_authentication", max_age=900')
    assert refusal(clear(role="admin", auth_time=...)) == TOO_OLD
    by_cookie = cookie(token(role="admin", auth_time=now - 960), Origin=app.url)
    assert "WWW-Authenticate" not in app.client.post("/notes/clear", headers=by_cookie).headers

    app.client.post("/notes", params={"text": "a"}, headers=bearer(token()))
    assert clear(role="admin", auth_time=now - 840).status_code == 200
    assert app.client.get("/notes", headers=bearer(token())).json() == []


def test_a_session_that_ends_is_refused(app: App, latchkey: Issuer, token: Callable[..., str]) -> None:
    sid = str(uuid.uuid4())
    headers = bearer(token(sid=sid))
    assert app.client.get("/notes", headers=headers).status_code == 200
    latchkey.end(sid)
    eventually(lambda: app.client.get("/notes", headers=headers).status_code == 401, "it is refused")
    assert refusal(app.client.get("/notes", headers=headers)) == INVALID
    assert app.client.get("/notes", headers=bearer(token())).status_code == 200


def test_latchkey_without_keys_is_503(token: Callable[..., str], tmp_path: Path) -> None:
    text = token()
    with running_issuer() as empty:
        empty.keys = []
        for example, server in SERVERS.values():
            with running_app(EXAMPLES / example, server, tmp_path / "log", {"LATCHKEY_URL": empty.url}) as app:
                response = app.client.get("/notes", headers=bearer(text))
                assert refusal(response) == (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
                assert int(response.headers["Retry-After"]) > 0
                assert "latchkey keys init" in app.printed()
                assert text not in app.printed()


def test_an_example_has_at_most_thirty_lines() -> None:
    for example, _ in SERVERS.values():
        (file,) = (EXAMPLES / example).glob("*.py")
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 30
