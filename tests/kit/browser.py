"""A browser for cookies and CSRF: keeps cookies, fetches the CSRF token, and checks answers against the OpenAPI
document."""

import itertools
import json
import os
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx

from tests.kit import plain_http
from tests.kit.server import Server
from tests.kit.wire import Wire

PASSWORD = "Secret123!"
_numbers = itertools.count(1)


def new_email(prefix: str = "user") -> str:
    """Returns an address that no other test uses."""
    return f"{prefix}{next(_numbers)}-{os.getpid()}-{os.urandom(3).hex()}@example.com"


class Browser:
    """A browser with its own cookie jar. `cookies` (names to values) may be read and changed."""

    def __init__(self, server: Server, wire: Wire, *, headers: dict[str, str] | None = None) -> None:
        self.server = server
        self.wire = wire
        self.cookies: dict[str, str] = {}
        self.csrf: str | None = None
        self.set_cookies: list[Morsel[str]] = []
        self._headers = headers
        self._http = plain_http.client(base_url=server.url, headers=headers, timeout=30)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        with_csrf: bool = True,
        cookies: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Sends a request and updates the jar. `set_cookies` holds the Set-Cookie lines of the answer.

        Sends the jar's cookies (or exactly `cookies`), `body` as JSON or raw `content`, and the CSRF token where the
        method needs one (unless `with_csrf` is off).
        """
        sent = dict(headers or {})
        if with_csrf and method not in {"GET", "HEAD", "OPTIONS"}:
            sent.setdefault("X-CSRF-Token", self.csrf or self.fetch_csrf())
        jar = self.cookies if cookies is None else cookies
        if jar:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        response = self._http.request(method, path, content=content, headers=sent)
        # httpx has a jar of its own, and would send its cookies where this one has none to send.
        self._http.cookies.clear()
        self._keep_cookies(response)
        self.wire.check(method, path, response)
        return response

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)

    def fetch_csrf(self) -> str:
        """Fetches a CSRF token and its cookie, and returns the token."""
        self.csrf = str(self.get("/auth/csrf-token").json()["csrfToken"])
        return self.csrf

    def register(self, email: str | None = None, *, name: str = "Siam", password: str = PASSWORD) -> dict[str, Any]:
        """Registers an account and returns its user."""
        response = self.post("/auth/register", {"name": name, "email": email or new_email(), "password": password})
        assert response.status_code == 201, response.text
        user: dict[str, Any] = response.json()["data"]["user"]
        return user

    def login(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Signs in. The jar then holds the token cookies."""
        return self.post("/auth/login", {"email": email, "password": password})

    def sign_up(self, email: str | None = None) -> dict[str, Any]:
        """Registers and logs in; returns the user."""
        user = self.register(email)
        response = self.login(user["email"])
        assert response.status_code == 200, response.text
        return user

    def move_to(self, server: Server) -> None:
        """Talks to another server from now on, with the same jar, as behind a balancer."""
        self.close()
        self.server = server
        self._http = plain_http.client(base_url=server.url, headers=self._headers, timeout=30)

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def _keep_cookies(self, response: httpx.Response) -> None:
        self.set_cookies = []
        for line in response.headers.get_list("set-cookie"):
            parsed: SimpleCookie = SimpleCookie(line)
            for name, morsel in parsed.items():
                self.set_cookies.append(morsel)
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in, and the id of their account."""

    browser: Browser
    id: int


def refused(response: httpx.Response) -> tuple[int, str, str]:
    """Returns status, code and message of a refusal. Fails for any other answer."""
    body = response.json()
    assert body["success"] is False, response.text
    return response.status_code, body["code"], body["message"]


def bad_fields(response: httpx.Response) -> set[str]:
    """Returns the field names in a `Validation failed`."""
    assert refused(response) == (400, "VALIDATION_ERROR", "Validation failed"), response.text
    return {entry["field"] for entry in response.json()["errors"]}
