"""The operations: what each one sends, and which answer is right."""

import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from bench.data import PASSWORD, Secrets, SignedIn, email_of, sign_in, tokens_of
from bench.servers import Target
from bench.wire import Answer

VIRTUAL_USERS = 1000
VARIANTS = 8000
ENDED = 200


class Accounts(Protocol):
    """Who can sign in on a server. `highest_id`: all users from 1 to it exist."""

    highest_id: int

    def sign_in(self, count: int) -> list[SignedIn]:
        """Live sessions, at most `count`, each of another user where there are enough."""
        ...

    def emails(self, count: int) -> list[str]:
        """Addresses of users whose password is PASSWORD."""
        ...


class Minted:
    """Ours: the data set's users; sessions are written to the database."""

    def __init__(self, dsn: str, signing: Secrets, users: int) -> None:
        self.highest_id = users
        self._dsn, self._tokens = dsn, tokens_of(signing)

    def sign_in(self, count: int) -> list[SignedIn]:
        """Of users chosen at random."""
        return sign_in(self._dsn, self._tokens, random.sample(range(1, self.highest_id + 1), count))

    def emails(self, count: int) -> list[str]:
        """Of users chosen at random."""
        return [email_of(number) for number in random.sample(range(1, self.highest_id + 1), count)]


class OverHttp:
    """A peer's: users that we register there, who log in as anybody would."""

    def __init__(self, url: str, users: int) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        answer = self._client.get("/auth/csrf-token")
        self._csrf = {"Cookie": f"_csrf={answer.cookies['_csrf']}", "X-CSRF-Token": answer.json()["csrfToken"]}
        self._client.cookies.clear()
        run = secrets.token_hex(4)
        self._emails = [f"peer{run}-{number}@bench.example.com" for number in range(users)]
        for email in self._emails:
            body = {"name": "Bench Peer", "email": email, "password": PASSWORD}
            self._client.post("/auth/register", json=body, headers=self._csrf).raise_for_status()
        access = self.sign_in(1)[0].access
        newest = self._client.get("/users?page=1&limit=1", headers={"Cookie": f"accessToken={access}"})
        self.highest_id = int(newest.json()["data"][0]["id"])

    def sign_in(self, count: int) -> list[SignedIn]:
        """By a login each."""
        signed_in = []
        for email in self._emails[:count]:
            body = {"email": email, "password": PASSWORD}
            answer = self._client.post("/auth/login", json=body, headers=self._csrf).raise_for_status()
            cookies = dict(answer.cookies)
            self._client.cookies.clear()
            data = answer.json()["data"]["user"]
            signed_in.append(SignedIn(data["id"], cookies["accessToken"], cookies["refreshToken"]))
        return signed_in

    def emails(self, count: int) -> list[str]:
        """All of them."""
        return self._emails[:count]


class Script:
    """Requests to send, one after the other, whoever sends them."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self._next = 0

    def request(self, slot: int) -> bytes:
        """The next one for the connection with that number."""
        del slot
        self._next += 1
        return self.requests[self._next % len(self.requests)]

    def learn(self, slot: int, answer: Answer) -> None:
        """Takes from an answer what the next request of that connection needs."""


class RefreshScript(Script):
    """Each connection is a virtual user who follows the cookies of a session of its own."""

    def __init__(self, wire: "Wire", sessions: list[SignedIn]) -> None:
        super().__init__([])
        self._wire = wire
        self._tokens = [session.refresh for session in sessions]

    def request(self, slot: int) -> bytes:
        """A refresh with the newest token."""
        return self._wire.request("POST", "/auth/refresh-token", refreshToken=self._tokens[slot])

    def learn(self, slot: int, answer: Answer) -> None:
        """Keeps the new token."""
        self._tokens[slot] = answer.cookie("refreshToken") or self._tokens[slot]


class Wire:
    """Makes requests for one server, with its CSRF pair."""

    def __init__(self, target: Target) -> None:
        self._host = urlsplit(target.url).netloc
        answer = httpx.get(f"{target.url}/auth/csrf-token")
        self._csrf_cookie = answer.cookies["_csrf"]
        self._csrf_token = answer.json()["csrfToken"]

    def request(self, method: str, path: str, body: dict[str, str] | None = None, **cookies: str) -> bytes:
        """A whole request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", "User-Agent: latchkey-bench", "Accept: */*"]
        if method != "GET":
            cookies["_csrf"] = self._csrf_cookie
            lines.append(f"X-CSRF-Token: {self._csrf_token}")
        if cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
        content = json.dumps(body).encode() if body is not None else b""
        if body is not None:
            lines.append("Content-Type: application/json")
        if method != "GET":
            lines.append(f"Content-Length: {len(content)}")
        return "\r\n".join([*lines, "", ""]).encode() + content

    def log_out(self, sessions: list[SignedIn]) -> None:
        """Ends the sessions, as their owners would."""
        csrf = {"X-CSRF-Token": self._csrf_token}
        with httpx.Client(base_url=f"http://{self._host}") as client:
            for session in sessions:
                cookies = f"_csrf={self._csrf_cookie}; accessToken={session.access}; refreshToken={session.refresh}"
                client.post("/auth/logout", headers=csrf | {"Cookie": cookies}).raise_for_status()


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the table. `rate_max`: arrivals a second, at most, when latency is measured. `brief`: quick enough
    that requests cut off at the end of a run do not count; only then wrk drives it. `connections_max`: of the closed
    loop; with a million users a list takes so long that more than the pool has would wait for its 2 s and get a 503."""

    name: str
    title: str
    expected: int
    script: Callable[[Wire, Accounts], Script]
    rate_max: int = 400
    brief: bool = True
    connections_max: int = 64


def _csrf_token(wire: Wire, _: Accounts) -> Script:
    return Script([wire.request("GET", "/auth/csrf-token")])


def _get_user(wire: Wire, accounts: Accounts) -> Script:
    sessions = accounts.sign_in(VIRTUAL_USERS)
    user_ids = random.choices(range(1, accounts.highest_id + 1), k=VARIANTS)  # noqa: S311 no secret
    return Script(
        [
            wire.request(
                "GET",
                f"/users/{user_id}",
                accessToken=sessions[number % len(sessions)].access,
            )
            for number, user_id in enumerate(user_ids)
        ]
    )


def _page(wire: Wire, accounts: Accounts, number: int) -> Script:
    path = f"/users?page={number}&limit=10"
    return Script(
        [wire.request("GET", path, accessToken=session.access) for session in accounts.sign_in(VIRTUAL_USERS)]
    )


def _first_page(wire: Wire, accounts: Accounts) -> Script:
    return _page(wire, accounts, 1)


def _deep_page(wire: Wire, accounts: Accounts) -> Script:
    return _page(wire, accounts, accounts.highest_id // 20)


def _refresh(wire: Wire, accounts: Accounts) -> Script:
    return RefreshScript(wire, accounts.sign_in(64))


def _login(wire: Wire, accounts: Accounts) -> Script:
    return Script(
        [
            wire.request("POST", "/auth/login", {"email": email, "password": PASSWORD})
            for email in accounts.emails(VIRTUAL_USERS)
        ]
    )


def _register(wire: Wire, _: Accounts) -> Script:
    run = secrets.token_hex(6)
    return Script(
        [
            wire.request(
                "POST",
                "/auth/register",
                {"name": "New User", "email": f"new{run}-{number}@bench.example.com", "password": PASSWORD},
            )
            for number in range(VARIANTS)
        ]
    )


def _patch(wire: Wire, accounts: Accounts) -> Script:
    sessions = accounts.sign_in(VIRTUAL_USERS)
    run = secrets.token_hex(3)
    requests = []
    for number in range(VARIANTS):
        session = sessions[number % len(sessions)]
        body = {"name": f"Renamed {run} {number}"}
        requests.append(wire.request("PATCH", f"/users/{session.user_id}", body, accessToken=session.access))
    return Script(requests)


def _ended(wire: Wire, accounts: Accounts) -> Script:
    sessions = accounts.sign_in(ENDED)
    wire.log_out(sessions)
    return Script([wire.request("GET", "/auth/me", accessToken=session.access) for session in sessions])


OPERATIONS = [
    Operation("csrf-token", "GET /auth/csrf-token", 200, _csrf_token),
    Operation("get-user", "GET /users/:id", 200, _get_user),
    Operation("ended-session", "a request of an ended session", 401, _ended),
    Operation("refresh", "POST /auth/refresh-token", 200, _refresh, brief=False),
    Operation("patch-user", "PATCH /users/:id", 200, _patch),
    Operation("first-page", "GET /users, first page", 200, _first_page, brief=False, connections_max=8),
    Operation("deep-page", "GET /users, page in the middle", 200, _deep_page, brief=False, connections_max=8),
    Operation("login", "POST /auth/login", 200, _login, brief=False, connections_max=8),
    Operation("register", "POST /auth/register", 201, _register, brief=False, connections_max=8),
]
