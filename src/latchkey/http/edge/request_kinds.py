"""Finds out how a request says who asks: by cookies, by a bearer token, or by an API key."""

from typing import Any

from latchkey.http.endpoint import Endpoint
from latchkey.http.errors import AmbiguousCredentials, Forbidden, NotForBrowsers
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import API_KEY_PREFIX, RequestKind


class RequestKinds:
    """Finds the kind of requests. `token_cookies` are the names of the session's cookies.

    `native_origins` are the origins of apps that run in a web view, such as `tauri://localhost`.
    """

    def __init__(self, token_cookies: tuple[str, ...], native_origins: frozenset[str]) -> None:
        self._token_cookies = token_cookies
        self._native_origins = native_origins

    def find(self, exchange: Exchange, endpoint: Endpoint[Any] | None) -> RequestKind:
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
        has_token = is_native or exchange.bearer_token() is not None
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

    def _refuse_pages(self, exchange: Exchange, *, is_native: bool) -> None:
        # A page can drop neither header. Node's fetch sends neither.
        if "origin" not in exchange.headers and "sec-fetch-site" not in exchange.headers:
            return
        if not (is_native and exchange.header("origin") in self._native_origins):
            raise NotForBrowsers

    def _has_token_cookie(self, exchange: Exchange) -> bool:
        return any(exchange.has_cookie(name) for name in self._token_cookies)
