"""Who is asking: the principal that an access token proves (contract, sections 4 to 6)."""

from latchkey.clock import Clock
from latchkey.database.pool import Database
from latchkey.http.endpoint import Guard, Principal
from latchkey.http.errors import AccessTokenExpired, AccessTokenInvalid, Unauthorized
from latchkey.http.exchange import Exchange, RepeatedCookie
from latchkey.sessions import queries
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.tokens import Claims, TokenExpired, TokenKind, TokenRefused, Tokens

FAILURES = (Unauthorized, AccessTokenInvalid, AccessTokenExpired)
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
        self._remembered: dict[str, Claims] = {}
        self._cookie_name = cookies.access_name
        self.signed_in = Guard(self._signed_in, SCHEME, FAILURES)
        self.signed_in_or_deleting = Guard(self._signed_in_or_deleting, SCHEME, FAILURES)

    async def _signed_in(self, exchange: Exchange) -> Principal:
        principal = self._proven(exchange)
        if principal.session_id in self._ended:
            raise AccessTokenInvalid
        # Only a feed that is known to work may answer for the database (contract, section 6).
        if not self._feed.is_healthy:
            await self._ask_the_database(principal)
        return principal

    async def _ask_the_database(self, principal: Principal) -> None:
        if not await queries.is_live(self._database, principal.session_id, principal.user_id):
            raise AccessTokenInvalid

    async def _signed_in_or_deleting(self, exchange: Exchange) -> Principal:
        """As `signed_in`, and for restore alone also the ended session that deleted the account."""
        principal = self._proven(exchange)
        if await queries.is_live(self._database, principal.session_id, principal.user_id):
            return principal
        if not await queries.was_deleting_session(self._database, principal.session_id, principal.user_id):
            raise AccessTokenInvalid
        return principal

    def _proven(self, exchange: Exchange) -> Principal:
        try:
            token = exchange.cookie(self._cookie_name)
        except RepeatedCookie:
            raise AccessTokenInvalid from None
        if token is None:
            raise Unauthorized
        try:
            claims = self._remembered.get(token) or self._verify(token)
        except TokenExpired:
            raise AccessTokenExpired from None
        except TokenRefused:
            raise AccessTokenInvalid from None
        if claims.expires_at <= self._clock():
            self._remembered.pop(token, None)
            raise AccessTokenExpired
        return Principal(claims.user_id, claims.session_id)

    def _verify(self, token: str) -> Claims:
        """Verifies a token, and remembers one that is genuine: checking the signature takes longer than all the rest.
        Whether it has expired, or its session has ended, is looked at for every request."""
        claims = self._tokens.read(TokenKind.ACCESS, token)
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = claims
        return claims
