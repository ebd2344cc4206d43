"""Finds the sessions whose tokens a request presents, by cookies or without them."""

from uuid import UUID

from latchkey.database.pool import Database
from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.http.request_kind import Transport
from latchkey.sessions import queries
from latchkey.sessions.claims import Claims, TokenExpired, TokenKind, TokenRefused
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.guard import Guards
from latchkey.sessions.queries import ProvenSessions
from latchkey.sessions.tokens import Tokens, token_hash


class PresentedSessions:
    """Finds the sessions that a request's tokens name, live or not. Tokens of the other transport do not count."""

    def __init__(self, database: Database, tokens: Tokens, guards: Guards, cookies: SessionCookies) -> None:
        self._database = database
        self._tokens = tokens
        self._guards = guards
        self._names = {TokenKind.ACCESS: cookies.access_name, TokenKind.REFRESH: cookies.refresh_name}

    def any_cookie(self, exchange: Exchange) -> bool:
        """Tells whether any token cookie came, valid or not."""
        try:
            return any(exchange.cookies(name) for name in self._names.values())
        except RepeatedCookie:
            return True

    def refresh_cookie(self, exchange: Exchange) -> str | None:
        """Returns the refresh token that counts, or None without a cookie.

        Raises RepeatedCookie for several good ones.
        """
        return self._cookie(exchange, TokenKind.REFRESH)

    def remembers(self, exchange: Exchange) -> bool:
        """Tells whether the browser is to keep the cookies when it closes, as its refresh token says."""
        token = self._cookie_or_none(exchange, TokenKind.REFRESH)
        try:
            return token is None or self._tokens.read(TokenKind.REFRESH, token).remember
        except TokenExpired as expired:
            return expired.claims.remember
        except TokenRefused:
            return True

    async def named_by(self, exchange: Exchange, native_refresh: str | None = None) -> list[UUID]:
        """Returns the ids of the sessions that genuine tokens name. `native_refresh` is a token in the body.

        Expired access tokens and rotated refresh tokens count, too, because they prove the session.
        """
        presented = self._tokens_of(exchange, native_refresh)
        named = await self._sessions_of(presented, exchange.kind.transport, expired_too=True)
        return sorted(set(named.values()))

    async def proven_by(self, exchange: Exchange) -> ProvenSessions:
        """Returns the sessions that the tokens prove to be the client's current ones."""
        presented = self._tokens_of(exchange, None)
        proven = await self._sessions_of(presented, exchange.kind.transport, expired_too=False)
        by_refresh = proven.get(TokenKind.REFRESH)
        return ProvenSessions(
            proven.get(TokenKind.ACCESS), by_refresh, token_hash(presented[TokenKind.REFRESH]) if by_refresh else None
        )

    def _tokens_of(self, exchange: Exchange, native_refresh: str | None) -> dict[TokenKind, str]:
        if exchange.kind.transport is Transport.BEARER:
            came = {TokenKind.ACCESS: exchange.bearer_token(), TokenKind.REFRESH: native_refresh}
        else:
            came = {kind: self._cookie_or_none(exchange, kind) for kind in TokenKind}
        return {kind: token for kind, token in came.items() if token}

    async def _sessions_of(
        self, presented: dict[TokenKind, str], transport: Transport, *, expired_too: bool
    ) -> dict[TokenKind, UUID]:
        """Returns the sessions of the genuine tokens among these."""
        found: dict[TokenKind, UUID] = {}
        for kind, token in presented.items():
            claims = await self._genuine(kind, token, transport, expired_too=expired_too)
            session_id = claims.session_id if claims else await self._original_session(kind, token, transport)
            if session_id:
                found[kind] = session_id
        return found

    async def _genuine(self, kind: TokenKind, token: str, transport: Transport, *, expired_too: bool) -> Claims | None:
        """Returns the claims of a token of that transport. None for any other."""
        try:
            if kind is TokenKind.ACCESS:
                # Another instance may have signed it with a key that this one does not know yet.
                claims = await self._guards.find_claims(token)
            else:
                claims = self._tokens.read(kind, token)
        except TokenExpired as expired:
            if not expired_too:
                return None
            claims = expired.claims
        except TokenRefused:
            return None
        return claims if claims.transport is transport else None

    async def _original_session(self, kind: TokenKind, token: str, transport: Transport) -> UUID | None:
        """Returns the session of a refresh token of node-api-postgres."""
        if kind is not TokenKind.REFRESH or transport is not Transport.COOKIE:
            return None
        try:
            user_id = self._tokens.read_original(token)
        except TokenRefused:
            return None
        session = await queries.find_original(self._database, user_id, token_hash(token))
        return session.id if session else None

    def _cookie_or_none(self, exchange: Exchange, kind: TokenKind) -> str | None:
        try:
            return self._cookie(exchange, kind)
        except RepeatedCookie:
            return None

    def _cookie(self, exchange: Exchange, kind: TokenKind) -> str | None:
        """Returns the only good value, or the first one, whose refusal is the answer."""
        values = exchange.cookies(self._names[kind])
        if len(values) < 2:
            return values[0] if values else None
        return only_one([value for value in values if self._is_good(kind, value)]) or values[0]

    def _is_good(self, kind: TokenKind, token: str) -> bool:
        try:
            return self._tokens.read(kind, token).transport is Transport.COOKIE
        except TokenExpired:
            return False
        except TokenRefused:
            return kind is TokenKind.REFRESH and self._is_original(token)

    def _is_original(self, token: str) -> bool:
        try:
            self._tokens.read_original(token)
        except TokenRefused:
            return False
        return True
