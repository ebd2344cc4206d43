"""Ending the sessions that a browser's cookies name: logout, and login over a session that is still open."""

from uuid import UUID

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.http.exchange import Exchange, RepeatedCookie
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
        return any(self._values(exchange, name) for name in (self._cookies.access_name, self._cookies.refresh_name))

    async def named_by(self, exchange: Exchange) -> list[UUID]:
        """Ids of the sessions named by genuine cookies: expired access tokens and rotated refresh tokens count too,
        since they prove which session is meant."""
        named: list[UUID] = []
        for kind, name in (
            (TokenKind.ACCESS, self._cookies.access_name),
            (TokenKind.REFRESH, self._cookies.refresh_name),
        ):
            values = self._values(exchange, name)
            if values and (session_id := await self._session_of(kind, values[0])):
                named.append(session_id)
        return sorted(set(named))

    async def proven_by(self, exchange: Exchange) -> ProvenSessions:
        """The sessions that the cookies prove the browser to be in now."""
        access = self._values(exchange, self._cookies.access_name)
        refresh = self._values(exchange, self._cookies.refresh_name)
        by_refresh = await self._current_session(TokenKind.REFRESH, refresh[0]) if refresh else None
        return ProvenSessions(
            await self._current_session(TokenKind.ACCESS, access[0]) if access else None,
            by_refresh,
            token_hash(refresh[0]) if by_refresh else None,
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

    @staticmethod
    def _values(exchange: Exchange, name: str) -> list[str]:
        try:
            value = exchange.cookie(name)
        except RepeatedCookie:
            return ["", ""]
        return [value] if value else []


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
