"""Who is asking: the principal that an access token proves (contract, sections 4 to 6)."""

from latchkey.database.pool import Database
from latchkey.http.endpoint import Guard, Principal
from latchkey.http.errors import AccessTokenExpired, AccessTokenInvalid, Unauthorized
from latchkey.http.exchange import Exchange, RepeatedCookie
from latchkey.sessions import queries
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.tokens import TokenExpired, TokenKind, TokenRefused, Tokens

FAILURES = (Unauthorized, AccessTokenInvalid, AccessTokenExpired)
SCHEME = "cookieAuth"


class Guards:
    """The guards that endpoints declare."""

    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        cookies: SessionCookies,
        ended: EndedSessions,
        feed: RevocationFeed,
    ) -> None:
        self._database = database
        self._ended = ended
        self._feed = feed
        self._tokens = tokens
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
            claims = self._tokens.read(TokenKind.ACCESS, token)
        except TokenExpired:
            raise AccessTokenExpired from None
        except TokenRefused:
            raise AccessTokenInvalid from None
        return Principal(claims.user_id, claims.session_id)
