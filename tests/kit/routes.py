"""The endpoints as data, each with a valid body, for tests that go through all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from latchkey.sessions.claims import TokenKind
from tests.kit.browser import PASSWORD, Browser, new_email
from tests.kit.server import Server
from tests.kit.signing_keys import mint, tokens_of

Json = dict[str, Any]
NEW_PASSWORD = "Changed456!"
UNKNOWN_TOKEN = "0" * 64


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint. `body` makes a valid body for it; None: it has no body."""

    method: str
    path: str
    body: Callable[[], Json] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def has_id(self) -> bool:
        """Tells whether its path names a user."""
        return "{id}" in self.path

    def call(self, browser: Browser, user_id: object = 1, **options: Any) -> httpx.Response:
        """Calls it, with a valid body unless `options` have another."""
        if self.body is not None and not {"body", "content"} & options.keys():
            options["body"] = self.body()
        return browser.request(self.method, self.path.format(id=user_id), **options)


def _name_and_email() -> Json:
    return {"name": "Siam", "email": new_email()}


CSRF_TOKEN = Route("GET", "/auth/csrf-token")
REGISTER = Route("POST", "/auth/register", lambda: _name_and_email() | {"password": PASSWORD})
LOGIN = Route("POST", "/auth/login", lambda: {"email": new_email(), "password": PASSWORD})
REFRESH = Route("POST", "/auth/refresh-token")
LOGOUT = Route("POST", "/auth/logout")
CHANGE_PASSWORD = Route(
    "POST", "/auth/change-password", lambda: {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
)
FORGOT_PASSWORD = Route("POST", "/auth/forgot-password", lambda: {"email": new_email()})
RESET_PASSWORD = Route("POST", "/auth/reset-password", lambda: {"token": UNKNOWN_TOKEN, "newPassword": NEW_PASSWORD})
VERIFY_EMAIL = Route("POST", "/auth/verify-email", lambda: {"token": UNKNOWN_TOKEN})
REQUEST_VERIFICATION = Route("POST", "/auth/verify-email/request", lambda: {"email": new_email()})
ME = Route("GET", "/auth/me")
LIST = Route("GET", "/users")
GET = Route("GET", "/users/{id}")
PUT = Route("PUT", "/users/{id}", _name_and_email)
PATCH = Route("PATCH", "/users/{id}", lambda: {"name": "Siam Again"})
DELETE = Route("DELETE", "/users/{id}")
RESTORE = Route("PATCH", "/users/{id}/restore")

UNSAFE = (REGISTER, LOGIN, REFRESH, LOGOUT, CHANGE_PASSWORD, FORGOT_PASSWORD, RESET_PASSWORD) + (
    (VERIFY_EMAIL, REQUEST_VERIFICATION, PUT, PATCH, DELETE, RESTORE)
)
PROTECTED = (ME, CHANGE_PASSWORD, LIST, GET, PUT, PATCH, DELETE, RESTORE)
"""Endpoints that require the access token. Logout takes either token: see test_logout.py."""
SELF_ONLY = (PUT, PATCH, DELETE, RESTORE)
WITH_BODY = (REGISTER, LOGIN, CHANGE_PASSWORD, FORGOT_PASSWORD, RESET_PASSWORD, VERIFY_EMAIL, PUT, PATCH)
WITHOUT_BODY = (REFRESH, LOGOUT, DELETE)

NAME_FIELDS = ((REGISTER, "name"), (PUT, "name"), (PATCH, "name"))
EMAIL_FIELDS = ((REGISTER, "email"), (PUT, "email"), (PATCH, "email"))
TYPED_EMAIL_FIELDS = ((LOGIN, "email"), (FORGOT_PASSWORD, "email"), (REQUEST_VERIFICATION, "email"))
NEW_PASSWORD_FIELDS = (
    (REGISTER, "password"),
    (CHANGE_PASSWORD, "newPassword"),
    (RESET_PASSWORD, "newPassword"),
)
TYPED_PASSWORD_FIELDS = ((LOGIN, "password"), (CHANGE_PASSWORD, "currentPassword"))
TOKEN_FIELDS = ((RESET_PASSWORD, "token"), (VERIFY_EMAIL, "token"))
BODY_FIELDS = (
    *NAME_FIELDS,
    *EMAIL_FIELDS,
    *TYPED_EMAIL_FIELDS,
    *NEW_PASSWORD_FIELDS,
    *TYPED_PASSWORD_FIELDS,
    *TOKEN_FIELDS,
)
"""Every field of every body: sixteen."""


def field_ids(fields: tuple[tuple[Route, str], ...]) -> list[str]:
    """Names such fields, for the report."""
    return [f"{route}:{field}" for route, field in fields]


def call_with(browser: Browser, user_id: int, route: Route, field: str, value: Any) -> httpx.Response:
    """Calls a route with a valid body in which one field has another value."""
    assert route.body is not None
    return route.call(browser, user_id, body=route.body() | {field: value})


def minted(server: Server, kind: TokenKind, user_id: int, session_id: UUID | str, *, age: float = 0) -> str:
    """Returns a genuine token of that server, minted `age` seconds ago."""
    pair = mint(tokens_of(server, age=age), user_id, session_id)
    return pair.access if kind is TokenKind.ACCESS else pair.refresh.token
