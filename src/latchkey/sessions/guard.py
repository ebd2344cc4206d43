"""Finds the principal that an access token proves."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from latchkey.clock import Clock
from latchkey.database.pool import Database
from latchkey.http.authenticate import Authenticator, Guard, Principal
from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.sessions import queries
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import AccessTokenExpired, AccessTokenInvalid
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.tokens import Claims, TokenExpired, TokenKind, TokenRefused, Tokens

FAILURES = (AccessTokenInvalid, AccessTokenExpired)
SCHEME = "cookieAuth"
REMEMBERED_MAX = 10_000


class Guards:
    """The guards that endpoints declare."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        cookies: SessionCookies,
        ended: EndedSessions,
        feed: RevocationFeed,
        clock: Clock,
    ) -> None:
        self._database = database
        self._ended = ended
        self._feed = feed
        self._tokens = tokens
        self._clock = clock
        # Oldest first. A plain dictionary would pass all deleted entries to find the first one.
        self._genuine: OrderedDict[str, Claims] = OrderedDict()
        self._cookie_name = cookies.access_name
        self.signed_in = Guard((self._by_cookie(self._signed_in),))
        self.signed_in_or_deleting = Guard((self._by_cookie(self._signed_in_or_deleting),))

    def _by_cookie(self, find_principal: Callable[[Exchange], Awaitable[Principal]]) -> Authenticator:
        return Authenticator(
            scheme=SCHEME,
            checks_csrf=True,
            applies=self._has_cookie,
            find_principal=find_principal,
            failures=FAILURES,
        )

    def _has_cookie(self, exchange: Exchange) -> bool:
        try:
            return bool(exchange.cookies(self._cookie_name))
        except RepeatedCookie:
            return True

    async def _signed_in(self, exchange: Exchange) -> Principal:
        principal = self._proven(exchange, self._remembered)
        if principal.session_id in self._ended:
            raise AccessTokenInvalid
        # Only a feed that is proved to work may replace the query.
        if not self._feed.is_healthy and not await self._is_live(principal):
            raise AccessTokenInvalid
        return principal

    async def _signed_in_or_deleting(self, exchange: Exchange) -> Principal:
        """Does as `signed_in`, and for restore also accepts the ended session that deleted the account.

        Ignores remembered tokens.
        """
        principal = self._proven(exchange, self._verified)
        if await self._is_live(principal):
            return principal
        if not await queries.was_deleting_session(self._database, principal.session_id, principal.user_id):
            raise AccessTokenInvalid
        return principal

    async def _is_live(self, principal: Principal) -> bool:
        return await queries.is_live(self._database, principal.session_id, principal.user_id)

    def _proven(self, exchange: Exchange, read: Callable[[str], Claims]) -> Principal:
        try:
            values = exchange.cookies(self._cookie_name)
            claims = read(values[0]) if len(values) == 1 else _read_only_one(values, read)
        except TokenExpired:
            raise AccessTokenExpired from None
        except (TokenRefused, RepeatedCookie):
            raise AccessTokenInvalid from None
        return Principal(claims.user_id, claims.session_id)

    def _verified(self, token: str) -> Claims:
        return self._tokens.read(TokenKind.ACCESS, token)

    def _remembered(self, token: str) -> Claims:
        """Does as `_verified`, but verifies a genuine token once: the signature costs more than all the rest.

        Expiry and the session's end are checked for every request.
        """
        claims = self._genuine.get(token)
        if claims is None:
            claims = self._verified(token)
            if len(self._genuine) >= REMEMBERED_MAX:
                self._genuine.popitem(last=False)
            self._genuine[token] = claims
        elif claims.expires_at <= self._clock():
            del self._genuine[token]
            raise TokenExpired(claims)
        return claims


def _read_only_one(values: list[str], read: Callable[[str], Claims]) -> Claims:
    """Returns the claims of the only good token. Raises the first one's refusal, or RepeatedCookie."""
    good: list[Claims] = []
    refusals: list[Exception] = []
    for value in values:
        try:
            good.append(read(value))
        except (TokenExpired, TokenRefused) as refusal:
            refusals.append(refusal)
    claims = only_one(good)
    if claims is None:
        raise refusals[0]
    return claims
