"""Verifies access tokens and the requests that bring them."""

import asyncio
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar
from weakref import WeakSet

from latchkey_client.endings import Endings, fetch_page
from latchkey_client.errors import InvalidToken, Refused
from latchkey_client.fetching import fetch, require_url
from latchkey_client.genuine import GenuineTokens
from latchkey_client.incoming import Incoming, brings_bearer, brings_token, find_token, read_origins
from latchkey_client.keys import FETCH_MAX_BYTES, FETCH_SECONDS, KeySet
from latchkey_client.needs import Needs
from latchkey_client.tokens import Token
from latchkey_client.user import User

if TYPE_CHECKING:
    from starlette.requests import Request

P = ParamSpec("P")
R = TypeVar("R")

JWKS_PATH = "/.well-known/jwks.json"
WAIT_SECONDS = 2 * FETCH_SECONDS
"""Connecting and the exchange take at most FETCH_SECONDS each."""

_log = logging.getLogger("latchkey_client")


class Latchkey:
    """Verifies the access tokens of one Latchkey, for one app. Make one for each process, and use it in all threads.

    - `issuer`: Latchkey's PUBLIC_URL (or TOKEN_ISSUER), exactly as it is there.
    - `audience`: what tokens are for, if Latchkey has TOKEN_AUDIENCE. Default: the issuer.
    - `api_key`: a key with the scope `revocations:read`. With it, tokens of ended sessions are refused within a second.
      Without it, they hold until they expire.
    - `origins`: origins whose pages may send changes with the user's cookie, such as `https://app.example.com`. The
      app's own origin may always.
    - `when_stale`: what holds while nothing is heard from Latchkey for 10 seconds: "accept" tokens that have not
      expired, or "refuse" with 503. Only with `api_key`.
    - `cookie_name`: the name of the access cookie. With COOKIE_PREFIX in Latchkey, put that before it.
    - `jwks_url`: where to fetch the keys, if not below the issuer, such as an inner address. Ended sessions are followed
      at the same address.
    - `allow_http`: `jwks_url` may be http. Only inside a network that you trust: who changes the keys can sign anything.

    Raises ValueError for arguments that cannot work. Nothing is fetched before the first token.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | None = None,
        api_key: str | None = None,
        origins: Collection[str] = (),
        when_stale: Literal["accept", "refuse"] = "accept",
        cookie_name: str = "accessToken",
        jwks_url: str | None = None,
        allow_http: bool = False,
    ) -> None:
        if when_stale not in {"accept", "refuse"}:
            raise ValueError('when_stale is "accept" or "refuse"')
        if when_stale == "refuse" and api_key is None:
            raise ValueError('when_stale="refuse" needs an api_key')
        if allow_http and jwks_url is None:
            raise ValueError("allow_http is for jwks_url only")
        self._issuer = issuer
        self._audience = audience or issuer
        self._cookie_name = cookie_name
        self._origins = read_origins(origins)
        keys_url = require_url(jwks_url or issuer.rstrip("/") + JWKS_PATH, allow_http=allow_http)
        self._keys = KeySet(lambda: fetch(keys_url, seconds=FETCH_SECONDS, max_bytes=FETCH_MAX_BYTES))
        self._endings: Endings | None = None
        if api_key is not None:
            key, endings_url = _require_api_key(api_key), _endings_url(keys_url)
            self._endings = Endings(lambda since, wait: fetch_page(endings_url, key, since, wait), when_stale)
        self._genuine = GenuineTokens()
        _instances.add(self)

    def verify(self, token: str) -> User:
        """Returns the user whom an access token names.

        Raises InvalidToken, TokenExpired, or Unavailable if the token cannot be judged now. May wait for the network
        for some seconds, normally once in 10 minutes.
        """
        parsed = Token.parse(token)
        if waits := self._fetches(parsed):
            futures.wait(waits, WAIT_SECONDS)
        return self._judge(parsed)

    async def averify(self, token: str) -> User:
        """Does as `verify`. The network is waited for in other threads, so the event loop goes on."""
        parsed = Token.parse(token)
        if waits := self._fetches(parsed):
            await asyncio.wait([asyncio.wrap_future(wait) for wait in waits], timeout=WAIT_SECONDS)
        return self._judge(parsed)

    def authenticate(self, request: Incoming, needs: Needs) -> User:
        """Returns the user of a request. Raises Refused. The adapters of the frameworks call this."""
        with _reporting(request):
            user = self.verify(find_token(request, self._cookie_name, self._origins))
            needs.require(user, time.time())
            return user

    async def aauthenticate(self, request: Incoming, needs: Needs) -> User:
        """Does as `authenticate`, without blocking the event loop."""
        with _reporting(request):
            user = await self.averify(find_token(request, self._cookie_name, self._origins))
            needs.require(user, time.time())
            return user

    def fastapi(
        self, *, role: str | None = None, max_age: int | None = None, amr: Collection[str] = ()
    ) -> Callable[["Request"], Awaitable[User]]:
        """Returns a dependency for `Depends` that gives the User, for a route, a router or the whole app.

        `role`: the role that the user must have. `max_age`: the greatest age of the sign-in in seconds. `amr`: methods
        that the sign-in must have used. Give the app `exception_handlers` of `latchkey_client.starlette`.
        """
        from latchkey_client.starlette import dependency

        return dependency(self, Needs(role, max_age, amr))

    def starlette(
        self, *, role: str | None = None, max_age: int | None = None, amr: Collection[str] = ()
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Returns a decorator for endpoints of Starlette. They find the User in `request.user`.

        The arguments are those of `fastapi`.
        """
        from latchkey_client.starlette import guard

        return guard(self, Needs(role, max_age, amr))

    def flask(
        self, *, role: str | None = None, max_age: int | None = None, amr: Collection[str] = ()
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Returns a decorator for views of Flask. They find the User in `flask.g.user`.

        The arguments are those of `fastapi`.
        """
        from latchkey_client.flask import guard

        return guard(self, Needs(role, max_age, amr))

    def has_token(self, request: Incoming) -> bool:
        """Tells whether the request brings an access token, valid or not."""
        return brings_token(request, self._cookie_name)

    def close(self) -> None:
        """Stops the thread that follows ended sessions, which ends after its current request."""
        if self._endings:
            self._endings.stop()

    def _fetches(self, token: Token) -> list[futures.Future[None]]:
        """Starts what has to be fetched, and returns what the token has to wait for."""
        started = [self._keys.fetch_for(token.kid or ""), self._endings.follow() if self._endings else None]
        return [future for future in started if future]

    def _judge(self, token: Token) -> User:
        # Without any key, even a token that no key fits gets 503: Latchkey may still sign with HS256.
        key = self._keys.find(token.kid or "")
        if key is None:
            raise InvalidToken(f"its kid {token.kid!r} is not in the JWKS")
        token.require_header(key.algorithm.name)
        if not self._genuine.has(token, key):
            raise InvalidToken("its signature is wrong")
        user = token.user(issuer=self._issuer, audience=self._audience, now=time.time())
        if self._endings:
            self._endings.check(user.session_id)
        return user

    def after_fork(self) -> None:
        """Replaces locks, and forgets threads, of the process that has forked. Called in the new process."""
        self._keys.after_fork()
        self._genuine = GenuineTokens()
        if self._endings:
            self._endings.after_fork()


@contextmanager
def _reporting(request: Incoming) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        refused.by_bearer = brings_bearer(request)
        _log.info("Refused a request with %s: %s", refused.code, refused)
        raise


def _require_api_key(key: str) -> str:
    if not re.fullmatch(r"lk_[0-9A-Za-z_]+", key):
        raise ValueError("api_key is not one of Latchkey's keys, which begin with lk_")
    return key


def _endings_url(keys_url: str) -> str:
    if not keys_url.endswith(JWKS_PATH):
        raise ValueError(f"with an api_key, jwks_url has to end with {JWKS_PATH}: the key is sent to the same address")
    return keys_url.removesuffix(JWKS_PATH) + "/revocations"


_instances: WeakSet[Latchkey] = WeakSet()


def _after_fork() -> None:
    for instance in list(_instances):
        instance.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
