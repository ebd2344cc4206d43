"""Finds the principal that an access token proves, in a cookie or as a bearer token."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from latchkey.clock import Clock
from latchkey.database.pool import Database
from latchkey.http.authenticate import Authenticator, Guard, Principal
from latchkey.http.endpoint import SAFE_METHODS
from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.http.openapi import BEARER_SCHEME, COOKIE_SCHEME
from latchkey.http.request_kind import Transport
from latchkey.sessions import queries
from latchkey.sessions.claims import Claims, TokenExpired, TokenKind, TokenRefused
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import AccessTokenExpired, AccessTokenInvalid, NotWhileImpersonating
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.tokens import Tokens, UnknownKey
from latchkey.signing.ring import KeyRing

FAILURES = (AccessTokenInvalid, AccessTokenExpired)
REMEMBERED_MAX = 10_000

FindPrincipal = Callable[[Transport, Exchange], Awaitable[Principal]]


@dataclass(frozen=True, slots=True)
class _Proven:
    """A genuine access token: what it proves, and its claims."""

    principal: Principal
    claims: Claims


class Guards:
    """The guards that endpoints declare."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        ring: KeyRing,
        cookies: SessionCookies,
        ended: EndedSessions,
        feed: RevocationFeed,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ended = ended
        self._feed = feed
        self._tokens = tokens
        self._ring = ring
        self._clock = clock
        # Oldest first. A plain dictionary would pass all deleted entries to find the first one.
        self._genuine: OrderedDict[str, _Proven] = OrderedDict()
        ring.on_change(self._genuine.clear)
        self._cookie_name = cookies.access_name
        self.signed_in = self._guard(self._signed_in)
        self.signed_in_or_deleting = self._guard(self._signed_in_or_deleting)

    def _guard(self, find_principal: FindPrincipal) -> Guard:
        return Guard(
            (
                Authenticator(
                    scheme=COOKIE_SCHEME,
                    applies=self._has_cookie,
                    find_principal=partial(find_principal, Transport.COOKIE),
                    failures=FAILURES,
                    unsafe_failures=(NotWhileImpersonating,),
                ),
                Authenticator(
                    scheme=BEARER_SCHEME,
                    applies=Exchange.has_bearer,
                    find_principal=partial(find_principal, Transport.BEARER),
                    failures=FAILURES,
                ),
            )
        )

    def _has_cookie(self, exchange: Exchange) -> bool:
        try:
            return bool(exchange.cookies(self._cookie_name))
        except RepeatedCookie:
            return True

    async def _signed_in(self, transport: Transport, exchange: Exchange) -> Principal:
        principal = await self._proven(exchange, transport, self._remembered)
        if principal.session_id in self._ended:
            raise AccessTokenInvalid
        # Only a feed that is proved to work may replace the query.
        if not self._feed.is_healthy and not await self._is_live(principal):
            raise AccessTokenInvalid
        if principal.actor_id is not None and exchange.method not in SAFE_METHODS:
            raise NotWhileImpersonating
        return principal

    async def _signed_in_or_deleting(self, transport: Transport, exchange: Exchange) -> Principal:
        """Does as `signed_in`, and for restore also accepts the ended session that deleted the account.

        Ignores remembered tokens.
        """
        principal = await self._proven(exchange, transport, self._verified)
        if principal.actor_id is not None:
            raise NotWhileImpersonating
        if await self._is_live(principal):
            return principal
        if not await queries.was_deleting_session(self._database, principal.session_id, principal.user_id):
            raise AccessTokenInvalid
        return principal

    async def _is_live(self, principal: Principal) -> bool:
        return await queries.is_live(self._database, principal.session_id, principal.user_id)

    async def find_claims(self, token: str) -> Claims:
        """Returns the claims of a genuine access token, whatever its transport. Does not look at its session.

        Raises TokenRefused, TokenExpired, and DatabaseUnavailable.
        """
        return (await self._again_for_new_keys(lambda: self._remembered(token))).claims

    async def _proven(self, exchange: Exchange, transport: Transport, read: Callable[[str], _Proven]) -> Principal:
        def read_of_transport(token: str) -> _Proven:
            proven = read(token)
            if proven.principal.transport is not transport:
                raise TokenRefused
            return proven

        try:
            proven = await self._again_for_new_keys(lambda: self._read(exchange, transport, read_of_transport))
        except TokenExpired:
            raise AccessTokenExpired from None
        except (TokenRefused, RepeatedCookie):
            raise AccessTokenInvalid from None
        return proven.principal

    async def _again_for_new_keys(self, read: Callable[[], _Proven]) -> _Proven:
        try:
            return read()
        except UnknownKey:
            # Another instance may have made the key a moment ago.
            await self._ring.look_again()
            return read()

    def _read(self, exchange: Exchange, transport: Transport, read: Callable[[str], _Proven]) -> _Proven:
        if transport is Transport.BEARER:
            token = exchange.bearer_token()
            if token is None:
                raise TokenRefused
            return read(token)
        values = exchange.cookies(self._cookie_name)
        return read(values[0]) if len(values) == 1 else _read_only_one(values, read)

    def _verified(self, token: str) -> _Proven:
        claims = self._tokens.read(TokenKind.ACCESS, token)
        access = claims.access
        assert access is not None, "an access token has them"
        principal = Principal(
            user_id=claims.user_id,
            session_id=claims.session_id,
            transport=claims.transport,
            role=access.role,
            amr=access.amr,
            authenticated_at=access.authenticated_at,
            actor_id=access.actor_id,
        )
        return _Proven(principal, claims)

    def _remembered(self, token: str) -> _Proven:
        """Does as `_verified`, but verifies a genuine token once: the signature costs more than all the rest.

        Transport, expiry and the session's end are checked for every request.
        """
        proven = self._genuine.get(token)
        if proven is None:
            proven = self._verified(token)
            if len(self._genuine) >= REMEMBERED_MAX:
                self._genuine.popitem(last=False)
            self._genuine[token] = proven
        elif proven.claims.expires_at <= self._clock() or not self._tokens.still_accepts(proven.claims):
            del self._genuine[token]
            raise TokenExpired(proven.claims)
        return proven


def _read_only_one(values: list[str], read: Callable[[str], _Proven]) -> _Proven:
    """Returns the only good token. Raises the first one's refusal, or RepeatedCookie."""
    good: list[_Proven] = []
    refusals: list[Exception] = []
    for value in values:
        try:
            good.append(read(value))
        except (TokenExpired, TokenRefused) as refusal:
            refusals.append(refusal)
    proven = only_one(good)
    if proven is None:
        raise refusals[0]
    return proven
