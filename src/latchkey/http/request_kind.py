"""How a request says who asks: by cookies, by a bearer token, or by an API key. Cookies and CSRF follow from it."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from latchkey.http.errors import AmbiguousCredentials, Forbidden, NotForBrowsers

if TYPE_CHECKING:
    from latchkey.http.endpoint import Endpoint
    from latchkey.http.exchange import Exchange

API_KEY_PREFIX = "lk_"
# RFC 6750 section 2.1: the scheme, spaces and one token; here a JWS in compact form.
_BEARER_JWS = re.compile(r"bearer +([\w-]+\.[\w-]*\.[\w-]*)", re.ASCII | re.IGNORECASE)
_BEARER = re.compile(r"bearer(?: .*)?", re.ASCII | re.IGNORECASE | re.DOTALL)


class Transport(StrEnum):
    """How a session's tokens travel. A token that comes the other way is refused."""

    COOKIE = "cookie"
    BEARER = "bearer"


class RequestKind(StrEnum):
    """The kind of a request. Only requests of kind COOKIE read and set cookies, and need a CSRF token."""

    COOKIE = "cookie"
    BEARER = "bearer"
    NATIVE = "native"
    KEY = "key"

    @property
    def transport(self) -> Transport:
        """Returns how the tokens of such a request's session travel."""
        return Transport.COOKIE if self is RequestKind.COOKIE else Transport.BEARER


def bearer_token(exchange: "Exchange") -> str | None:
    """Returns the JWS of `Authorization: Bearer`. None for anything else."""
    authorization = exchange.header("authorization")
    matched = _BEARER_JWS.fullmatch(authorization) if authorization else None
    return matched[1] if matched else None


def has_bearer(exchange: "Exchange") -> bool:
    """Tells whether the request has `Authorization: Bearer`, with whatever value."""
    return bool(_BEARER.fullmatch(exchange.header("authorization") or ""))


class RequestKinds:
    """Finds the kind of requests. `token_cookies` are the names of the session's cookies.

    `native_origins` are the origins of apps that run in a web view, such as `tauri://localhost`.
    """

    def __init__(self, token_cookies: tuple[str, ...], native_origins: frozenset[str]) -> None:
        self._token_cookies = token_cookies
        self._native_origins = native_origins

    def find(self, exchange: "Exchange", endpoint: "Endpoint[object] | None") -> RequestKind:
        """Returns the kind. An endpoint that asks for no credentials ignores keys, and bearer tokens of no native app.

        Raises NotForBrowsers for a key or a native request that a page has sent, AmbiguousCredentials for two
        credentials, and Forbidden for a key where none is taken.
        """
        is_native = exchange.header("x-client-type") == "native"
        is_credentialed = endpoint is not None and endpoint.is_credentialed
        has_key = is_credentialed and (exchange.header("x-api-key") or "").startswith(API_KEY_PREFIX)
        if has_key or is_native:
            self._refuse_pages(exchange, is_native=is_native)
        if not is_credentialed:
            return RequestKind.NATIVE if is_native else RequestKind.COOKIE
        has_token = is_native or bearer_token(exchange) is not None
        if has_key + has_token > 1 or ((has_key or has_token) and self._has_token_cookie(exchange)):
            raise AmbiguousCredentials
        if has_key:
            assert endpoint is not None, "only an endpoint asks for credentials"
            if not endpoint.takes_keys:
                raise Forbidden
            return RequestKind.KEY
        if is_native:
            return RequestKind.NATIVE
        return RequestKind.BEARER if has_token else RequestKind.COOKIE

    def _refuse_pages(self, exchange: "Exchange", *, is_native: bool) -> None:
        # A page can drop neither header. Node's fetch sends neither.
        if "origin" not in exchange.headers and "sec-fetch-site" not in exchange.headers:
            return
        if not (is_native and exchange.header("origin") in self._native_origins):
            raise NotForBrowsers

    def _has_token_cookie(self, exchange: "Exchange") -> bool:
        return any(exchange.has_cookie(name) for name in self._token_cookies)
