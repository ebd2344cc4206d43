"""Django users, by id: the backend and the middleware, by WSGI and ASGI."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.kit.apps import APPS, GUNICORN, UVICORN, App, running_app
from tests.kit.issuer import Issuer, running_issuer

SERVERS = {"wsgi": (GUNICORN, "django_app:wsgi"), "asgi": (UVICORN, "django_app:asgi")}
NOBODY = [None, "", False]


@pytest.fixture(scope="module")
def latchkey() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module", params=SERVERS.values(), ids=list(SERVERS))
def running(
    request: pytest.FixtureRequest, latchkey: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    with start(request.param, latchkey, tmp_path_factory.mktemp("django")) as app:
        yield app
        assert "Traceback" not in app.printed()


def start(server: tuple[tuple[str, ...], str], latchkey: Issuer, directory: Path) -> Any:
    """Starts the app on an empty database."""
    variables = {"LATCHKEY_URL": latchkey.url, "DATABASE": str(directory / "db"), "MIGRATE": "1"}
    return running_app(APPS, server[0], directory / "log", variables, app=server[1])


@pytest.fixture
def app(running: App) -> App:
    """The app, before anybody has signed in here."""
    running.client.cookies.clear()
    return running


numbers = itertools.count(1_000)


@pytest.fixture
def user_id() -> int:
    """The Latchkey id of a user of this test's own."""
    return next(numbers)


@pytest.fixture
def signed_in(latchkey: Issuer, user_id: int) -> Callable[..., dict[str, str]]:
    """Makes headers of the test's user. `claims` changes its token."""
    own: dict[str, Any] = {"id": user_id, "sub": str(user_id)}
    return lambda **claims: {"Authorization": f"Bearer {latchkey.token(**(own | claims))}"}


def who(app: App, headers: dict[str, str]) -> list[Any]:
    """The Django user that views see, with `async` or without: primary key, name, and whether it is signed in."""
    answer: list[Any] = app.client.get("/who", headers=headers).json()
    assert app.client.get("/who-async", headers=headers).json() == answer
    return answer


def test_a_django_user_is_made_once_and_found_by_its_id(
    app: App, user_id: int, signed_in: Callable[..., dict[str, str]]
) -> None:
    key, name, _ = who(app, signed_in(email="ann@example.com", name="Ann", role="admin"))
    assert name == f"latchkey-{user_id}"
    assert who(app, signed_in(email="new@example.com")) == [key, name, True]
    assert app.client.get("/own", headers=signed_in()).text == name
    # Nothing but the id is stored, and Latchkey's role gives no rights in Django.
    (stored,) = [user for user in app.client.get("/users").json() if user["username"] == name]
    nothing = {"email": "", "first_name": "", "last_name": "", "is_staff": False, "is_superuser": False}
    assert stored == {"username": name} | nothing


def test_an_address_makes_nobody_the_same_user(app: App, signed_in: Callable[..., dict[str, str]]) -> None:
    other = next(numbers)
    ann = who(app, signed_in(email="ann@example.com"))
    heir = who(app, signed_in(id=other, sub=str(other), email="ann@example.com"))
    assert ann[0] != heir[0]


def test_many_first_requests_make_one_django_user(
    app: App, user_id: int, signed_in: Callable[..., dict[str, str]]
) -> None:
    headers = signed_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.client.get("/who", headers=headers).json(), range(8)))
    assert [answer[1:] for answer in answers] == [[f"latchkey-{user_id}", True]] * 8
    assert len({answer[0] for answer in answers}) == 1


def test_who_is_nobody(app: App, signed_in: Callable[..., dict[str, str]]) -> None:
    assert who(app, {}) == NOBODY
    assert who(app, {"Authorization": "Bearer null"}) == NOBODY
    assert who(app, signed_in(iss="https://evil.example.com")) == NOBODY
    assert who(app, {"Cookie": "accessToken=x"}) == NOBODY
    sent_away = app.client.get("/own", headers={"Cookie": "accessToken=x"})
    assert (sent_away.status_code, sent_away.headers["Location"]) == (302, "/sign-in?next=/own")


def test_a_name_that_somebody_has_taken_is_not_the_latchkey_users(
    app: App, user_id: int, signed_in: Callable[..., dict[str, str]]
) -> None:
    """Otherwise the one who took it would share the account."""
    app.client.post("/sign-up", params={"name": f"latchkey-{user_id}"})
    app.client.cookies.clear()
    assert who(app, signed_in()) == NOBODY
    assert "has a password" in app.printed()


def test_a_user_whom_the_app_has_deactivated_is_nobody(
    app: App, user_id: int, signed_in: Callable[..., dict[str, str]]
) -> None:
    assert who(app, signed_in())[1] == f"latchkey-{user_id}"
    app.client.post("/deactivate", params={"name": f"latchkey-{user_id}"})
    assert who(app, signed_in()) == NOBODY


def test_djangos_own_sessions_go_on_beside_it(app: App, user_id: int, signed_in: Callable[..., dict[str, str]]) -> None:
    local = app.client.post("/sign-up", params={"name": f"local-{user_id}"}).json()
    assert who(app, {}) == [local, f"local-{user_id}", True]
    # A token decides, if one comes.
    assert who(app, signed_in())[1] == f"latchkey-{user_id}"
    assert who(app, {"Authorization": "Bearer null"}) == NOBODY


def test_guarded_views(app: App, user_id: int, signed_in: Callable[..., dict[str, str]]) -> None:
    assert app.client.get("/guarded", headers=signed_in()).json() == user_id
    assert app.client.get("/guarded").json()["code"] == "UNAUTHORIZED"
    assert app.client.get("/admin-async", headers=signed_in()).json()["code"] == "FORBIDDEN"
    assert app.client.get("/admin-async", headers=signed_in(role="admin")).json() == user_id


def test_djangos_csrf_protection_and_ours(
    app: App, user_id: int, latchkey: Issuer, signed_in: Callable[..., dict[str, str]]
) -> None:
    # Django's stays in force where the view is not exempt.
    assert "CSRF" in app.client.post("/guarded", headers=signed_in()).text
    assert app.client.post("/class", headers=signed_in()).json() == user_id
    cookie = {"Cookie": f"accessToken={latchkey.token()}"}
    assert app.client.post("/class", headers=cookie | {"Origin": app.url}).json() == 7
    assert app.client.post("/class", headers=cookie | {"Origin": "https://evil.example.com"}).status_code == 403


@pytest.mark.parametrize("server", SERVERS.values(), ids=list(SERVERS))
def test_while_tokens_cannot_be_judged_nobody_is_signed_out(
    server: tuple[tuple[str, ...], str], issuer: Issuer, tmp_path: Path
) -> None:
    issuer.is_down = True
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with start(server, issuer, tmp_path) as app:
        for path in ("/who", "/who-async", "/own", "/guarded"):
            assert app.client.get(path, headers=headers).status_code == 503
