"""Ending the sessions that a browser's cookies name: logout, and login over a session that is still open."""

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
    """Which sessions a request's cookies name, whether or not they are live."""

    def __init__(self, database: Database, tokens: Tokens, cookies: SessionCookies) -> None:
        self._database = database
        self._tokens = tokens
        self._cookies = cookies

    def any_cookie(self, exchange: Exchange) -> bool:
        """Whether a token cookie came at all, usable or not."""
        try:
            return any(exchange.cookies(name) for name in (self._cookies.access_name, self._cookies.refresh_name))
        except RepeatedCookie:
            return True

    def refresh_token(self, exchange: Exchange) -> str | None:
        """The refresh token that counts; None: no cookie came. Raises RepeatedCookie when several are good."""
        return self._token(exchange, TokenKind.REFRESH, self._cookies.refresh_name)

    async def named_by(self, exchange: Exchange) -> list[UUID]:
        """Ids of the sessions named by genuine cookies: expired access tokens and rotated refresh tokens count too,
        since they prove which session is meant."""
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
        """The sessions that the cookies prove the browser to be in now."""
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
        """Of several values the only good one, else the first, to be refused for what it is."""
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
