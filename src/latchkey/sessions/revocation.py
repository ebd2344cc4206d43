"""Ends the sessions of a browser's cookies: at logout, and at a login over a live session."""

from uuid import UUID

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.http.exchange import Exchange, RepeatedCookie, only_one
from latchkey.origin import Origin
from latchkey.sessions import queries
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy, ProvenSessions
from latchkey.sessions.tokens import TokenExpired, TokenKind, TokenRefused, Tokens, token_hash


class PresentedSessions:
    """Finds the sessions that a request's cookies name, live or not."""

    def __init__(self, database: Database, tokens: Tokens, cookies: SessionCookies) -> None:
        self._database = database
        self._tokens = tokens
        self._cookies = cookies

    def any_cookie(self, exchange: Exchange) -> bool:
        """Tells whether any token cookie came, valid or not."""
        try:
            return any(exchange.cookies(name) for name in (self._cookies.access_name, self._cookies.refresh_name))
        except RepeatedCookie:
            return True

    def refresh_token(self, exchange: Exchange) -> str | None:
        """Returns the refresh token that counts, or None without a cookie.

        Raises RepeatedCookie for several good ones.
        """
        return self._token(exchange, TokenKind.REFRESH, self._cookies.refresh_name)

    async def named_by(self, exchange: Exchange) -> list[UUID]:
        """Returns the ids of the sessions that genuine cookies name.

        Expired access tokens and rotated refresh tokens count, too, because they prove the session.
        """
        named: list[UUID] = []
        for kind, name in (
            (TokenKind.ACCESS, self._cookies.access_name),
            (TokenKind.REFRESH, self._cookies.refresh_name),
        ):
            token = self._token_or_none(exchange, kind, name)
            if token and (session_id := await self._session_of(kind, token)):
                named.append(session_id)
        return sorted(set(named))

    async def proven_by(self, exchange: Exchange) -> ProvenSessions:
        """Returns the sessions that the cookies prove to be the browser's current ones."""
        access = self._token_or_none(exchange, TokenKind.ACCESS, self._cookies.access_name)
        refresh = self._token_or_none(exchange, TokenKind.REFRESH, self._cookies.refresh_name)
        by_refresh = await self._current_session(TokenKind.REFRESH, refresh) if refresh else None
        return ProvenSessions(
            await self._current_session(TokenKind.ACCESS, access) if access else None,
            by_refresh,
            token_hash(refresh) if refresh and by_refresh else None,
        )

    async def _current_session(self, kind: TokenKind, token: str) -> UUID | None:
        try:
            return self._tokens.read(kind, token).session_id
        except TokenExpired:
            return None
        except TokenRefused:
            return await self._original_session(token) if kind is TokenKind.REFRESH else None

    async def _session_of(self, kind: TokenKind, token: str) -> UUID | None:
        try:
            return self._tokens.read(kind, token).session_id
        except TokenExpired as expired:
            return expired.claims.session_id
        except TokenRefused:
            return await self._original_session(token) if kind is TokenKind.REFRESH else None

    async def _original_session(self, token: str) -> UUID | None:
        try:
            user_id = self._tokens.read_original(token)
        except TokenRefused:
            return None
        session = await queries.find_original(self._database, user_id, token_hash(token))
        return session.id if session else None

    def _token_or_none(self, exchange: Exchange, kind: TokenKind, name: str) -> str | None:
        try:
            return self._token(exchange, kind, name)
        except RepeatedCookie:
            return None

    def _token(self, exchange: Exchange, kind: TokenKind, name: str) -> str | None:
        """Returns the only good value, or the first one, whose refusal is the answer."""
        values = exchange.cookies(name)
        if len(values) < 2:
            return values[0] if values else None
        return only_one([value for value in values if self._is_good(kind, value)]) or values[0]

    def _is_good(self, kind: TokenKind, token: str) -> bool:
        try:
            self._tokens.read(kind, token)
        except TokenExpired:
            return False
        except TokenRefused:
            return kind is TokenKind.REFRESH and self._is_original(token)
        return True

    def _is_original(self, token: str) -> bool:
        try:
            self._tokens.read_original(token)
        except TokenRefused:
            return False
        return True


class Logout:
    """Signs a browser out."""

    def __init__(self, audit: AuditLog, ender: SessionEnder) -> None:
        self._audit = audit
        self._ender = ender

    async def end(self, session_ids: list[UUID], origin: Origin) -> None:
        """Ends those of the sessions that are live, with one LOGOUT row for each."""
        if not session_ids:
            return

        async def end_named(change: Change) -> None:
            for ended in await self._ender.end(change, session_ids, EndedBy.LOGOUT):
                await change.record(Event(SessionAction.LOGOUT, ended.user_id, ended.user_id, origin, ended.id))

        await self._audit.change(end_named)
