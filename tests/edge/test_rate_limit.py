"""The rate limit of one process: 100 requests in 15 minutes for each client address."""

import itertools
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.kit import plain_http
from tests.kit.raw_http import RawConnection, RawResponse, request
from tests.kit.server import Server, start_server

LIMIT = 100
WINDOW_SECONDS = 900
REFUSED = (429, "RATE_LIMITED")
PREFLIGHT = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "PUT"}
Ask = Callable[..., httpx.Response]
_numbers = itertools.count(1)


def _new_client() -> str:
    """An address, in a network of its own, that no other test uses."""
    return f"2001:db8:{next(_numbers):x}::1"


@pytest.fixture(scope="module")
def limited(session_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the limit of production that takes this machine for a proxy: any client can be made up."""
    running = start_server(
        session_database,
        tmp_path_factory.mktemp("limited"),
        RATE_LIMIT="100/15 minutes",
        TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8",
    )
    yield running
    running.kill()


@pytest.fixture
def ask(limited: Server) -> Iterator[Ask]:
    """Sends a request as the client that an X-Forwarded-For names: `ask("198.51.100.1", "/users")`."""
    with plain_http.client(base_url=limited.url, timeout=30) as client:

        def send(
            forwarded: str,
            path: str = "/users",
            method: str = "GET",
            *,
            headers: dict[str, str] | None = None,
            content: bytes | None = None,
        ) -> httpx.Response:
            sent = {"X-Forwarded-For": forwarded} | (headers or {})
            return client.request(method, path, headers=sent, content=content)

        yield send


def _pipelined(server: Server, requests: list[bytes]) -> list[RawResponse]:
    with RawConnection(server) as connection:
        connection.send(b"".join(requests))
        answers = [connection.response() for _ in requests]
    return [answer for answer in answers if answer is not None]


def _fill(server: Server, forwarded: str, count: int) -> list[RawResponse]:
    return _pipelined(server, [request("GET", "/users", f"X-Forwarded-For: {forwarded}")] * count)


def _used(ask: Ask, forwarded: str) -> int:
    """How many requests of a client have been counted, this one left out."""
    return LIMIT - int(ask(forwarded).headers["ratelimit-remaining"]) - 1


def test_the_101st_is_refused(limited: Server) -> None:
    """Pipelined or not, each request counts; every counted answer says how many are left."""
    answers = _fill(limited, _new_client(), 102)
    assert [answer.status for answer in answers] == [401] * LIMIT + [429] * 2
    remaining = [int(answer.headers["ratelimit-remaining"]) for answer in answers]
    assert remaining == [*range(LIMIT - 1, -1, -1), 0, 0]
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == "100;w=900"
        assert answer.headers["ratelimit-limit"] == "100"
        assert WINDOW_SECONDS - 60 < int(answer.headers["ratelimit-reset"]) <= WINDOW_SECONDS
    refusal = answers[-1]
    assert refusal.refused == REFUSED
    assert refusal.json()["message"] == "Too many requests, please try again later."
    assert refusal.headers["retry-after"] == refusal.headers["ratelimit-reset"]


def test_clients_are_counted_apart(limited: Server, ask: Ask) -> None:
    """One client's flood costs another nothing."""
    flooding, other = _new_client(), _new_client()
    _fill(limited, flooding, 101)
    assert ask(flooding).status_code == 429
    assert ask(other).headers["ratelimit-remaining"] == "99"


def test_what_a_client_writes_left_of_its_proxy_is_ignored(limited: Server, ask: Ask) -> None:
    """The right-most stranger counts, over a chain of trusted proxies as well."""
    client = _new_client()
    requests = [
        request("GET", "/users", f"X-Forwarded-For: 203.0.113.{number}, {client}, 10.1.2.3") for number in range(LIMIT)
    ]
    assert {answer.status for answer in _pipelined(limited, requests)} == {401}
    assert ask(client).status_code == 429
    assert ask("203.0.113.0").headers["ratelimit-remaining"] == "99"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:3::1", "2001:db8:1:4::1", False),
        ("198.51.100.5", "::ffff:198.51.100.5", True),
        ("198.51.100.6", "[::ffff:198.51.100.6]:4711", True),
        ("198.51.100.7", "198.51.100.8", False),
    ],
)
def test_which_addresses_are_one_client(ask: Ask, first: str, second: str, same: bool) -> None:
    """IPv6 by /64, IPv4 mapped into IPv6 as IPv4."""
    ask(first)
    assert ask(second).headers["ratelimit-remaining"] == ("98" if same else "99")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/users%2F1", 404),
        ("HEAD", "/users", 401),
        ("POST", "/auth/login", 403),
        ("DELETE", "/healthz", 403),
        ("OPTIONS", "/users", 405),
        ("OPTIONS", "/healthz", 405),
        ("GET", "/api-docs", 200),
        ("GET", "/openapi.json", 200),
    ],
)
def test_what_is_counted(ask: Ask, method: str, path: str, status: int) -> None:
    """Everything else is, errors too, or guessing is free."""
    client = _new_client()
    response = ask(client, path, method)
    assert response.status_code == status, response.text
    assert response.headers["ratelimit-remaining"] == "99"
    assert _used(ask, client) == 1


def test_refusals_of_the_edge_are_counted(ask: Ask) -> None:
    """Counting comes before whatever refuses a request by its form."""
    client = _new_client()
    assert ask(client, "/auth/login", "POST", content=b"x" * 10_241).status_code == 413
    assert ask(client, headers={"Host": "a/b"}).status_code == 400
    assert _used(ask, client) == 2


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/api-docs/init.js", "/api-docs/page.css"])
def test_what_is_not_counted(limited: Server, ask: Ask, path: str) -> None:
    """A load balancer asks every second, and one page is a handful of files. Nor does a full count stop them."""
    client = _new_client()
    for method in ("GET", "HEAD"):
        response = ask(client, path, method)
        assert response.status_code == 200
        assert not [name for name in response.headers if name.startswith("ratelimit")]
    assert _used(ask, client) == 0
    _fill(limited, client, LIMIT)
    assert ask(client).status_code == 429
    assert ask(client, path).status_code == 200


def test_preflight_is_not_counted(ask: Ask) -> None:
    """It ends before the count: a browser sends it by itself."""
    client = _new_client()
    assert ask(client, "/users/1", "OPTIONS", headers=PREFLIGHT).status_code == 204
    assert _used(ask, client) == 0


def test_csrf_failures_are_counted(limited: Server) -> None:
    """Tokens cannot be guessed without end; in node-api-postgres they escaped the limiter."""
    client = f"X-Forwarded-For: {_new_client()}"
    answers = _pipelined(limited, [request("POST", "/auth/login", client, "X-CSRF-Token: guess")] * 200)
    assert [answer.refused for answer in answers] == [(403, "EBADCSRFTOKEN")] * LIMIT + [REFUSED] * LIMIT


def test_headers_of_a_stranger_open_no_new_count(start: Callable[..., Server]) -> None:
    """With no trusted proxy nobody can make up addresses; one warning says that somebody tries."""
    server = start(RATE_LIMIT="10/15 minutes")
    names = ("X-Forwarded-For: ", "X-Real-IP: ", "Forwarded: for=", "CF-Connecting-IP: ", "True-Client-IP: ")
    requests = [request("GET", "/users", *(f"{name}198.51.100.{number}" for name in names)) for number in range(200)]
    assert [answer.status for answer in _pipelined(server, requests)] == [401] * 10 + [429] * 190
    assert server.printed().count("X-Forwarded-For ignored") == 1


def test_window_opens_again(start: Callable[..., Server]) -> None:
    """After Retry-After seconds a client is let in, with a whole new count."""
    server = start(RATE_LIMIT="3/2 seconds")
    with plain_http.client(base_url=server.url) as client:
        deadline = time.monotonic() + 20
        while (refusal := client.get("/users")).status_code != 429:
            assert time.monotonic() < deadline, "no window holds three requests"
        assert refusal.headers["ratelimit-policy"] == "3;w=2"
        assert refusal.headers["retry-after"] in {"1", "2"}
        while (answer := client.get("/users")).status_code == 429:
            assert time.monotonic() < deadline, "the window stays shut"
            time.sleep(0.02)
        assert answer.headers["ratelimit-remaining"] == "2"
