"""Refresh: rotates tokens, detects reuse, and answers a repeated request within the leeway.

One statement replaces the stored hash, so of N parallel uses of one token exactly one rotates. Only if it finds no row
is the session read. An ended session is a plain refusal. The direct parent of the current token gets the same successor
again within the leeway (for tabs that race and lost answers). Any other token is reuse, and all sessions of the user
end.
"""

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.http.request_kind import Transport
from latchkey.origin import Origin
from latchkey.sessions import queries
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.claims import Claims, TokenExpired, TokenKind, TokenRefused
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.errors import RefreshTokenInvalid, RefreshTokenReused
from latchkey.sessions.queries import EndedBy, Session
from latchkey.sessions.refresh_token import RefreshToken
from latchkey.sessions.tokens import TokenPair, Tokens, token_hash


class Rotation:
    """Exchanges a refresh token for the next pair. With `leeway_seconds` 0, a token works exactly once."""

    def __init__(
        self, database: Database, audit: AuditLog, tokens: Tokens, ender: SessionEnder, *, leeway_seconds: int
    ) -> None:
        self._database = database
        self._audit = audit
        self._ender = ender
        self._tokens = tokens
        self._leeway_seconds = leeway_seconds

    async def refresh(self, presented: str, transport: Transport, origin: Origin) -> TokenPair:
        """Returns the pair that follows `presented`: the current refresh token, or within the leeway the one before it.

        Raises RefreshTokenInvalid, without a change, for a token that does not verify, that came by another transport
        than its session's, or whose session has ended. Raises RefreshTokenReused for any other token of a live or
        unknown session, after it has ended all sessions of the user. Raises DatabaseUnavailable, without a change, if no
        access token can be signed.
        """
        try:
            claims = self._tokens.read(TokenKind.REFRESH, presented)
        except TokenExpired:
            raise RefreshTokenInvalid from None
        except TokenRefused:
            if transport is not Transport.COOKIE:
                raise RefreshTokenInvalid from None
            return await self._refresh_original(presented)
        if claims.transport is not transport:
            raise RefreshTokenInvalid
        presented_hash = token_hash(presented)
        pair = await self._rotate(self._tokens.successor(claims), presented_hash)
        return pair or await self._refresh_unrotated(claims, presented_hash, origin)

    async def _rotate(self, refresh: RefreshToken, presented_hash: bytes) -> TokenPair | None:
        # Asked before the change: a token that is rotated and not answered would be reuse at the next attempt.
        signer = self._tokens.signer()
        access = await queries.rotate(self._database, refresh, presented_hash, token_hash(refresh.token))
        return self._tokens.pair(refresh, access, signer) if access else None

    async def _refresh_unrotated(self, claims: Claims, presented_hash: bytes, origin: Origin) -> TokenPair:
        """Returns the answer for a genuine token that the rotating statement found no row for."""
        session = await queries.find(self._database, claims.session_id, claims.user_id)
        if session is not None and session.is_live and session.token_hash == presented_hash:
            # On the session's last day, tokens must not outlive its absolute cap.
            capped = self._tokens.successor(claims, not_after=session.expires_at.timestamp())
            if pair := await self._rotate(capped, presented_hash):
                return pair
            # Another use of the token has rotated it since the read.
            session = await queries.find(self._database, claims.session_id, claims.user_id)
        if session is not None:
            if not session.is_live:
                raise RefreshTokenInvalid
            successor = self._successor_within_leeway(session, claims, presented_hash)
            if successor is not None and await self._record_replay(session, origin):
                return successor
        if not await self._end_all_for_reuse(claims, origin) and session is not None:
            raise RefreshTokenInvalid
        raise RefreshTokenReused

    def _successor_within_leeway(self, session: Session, claims: Claims, presented_hash: bytes) -> TokenPair | None:
        """Returns the pair that replaced `presented`, minted again, if it is the current one and within the leeway."""
        # 0 is a case of its own: a database clock that was set back makes `rotated_ago` negative.
        if self._leeway_seconds == 0 or session.rotated_ago > self._leeway_seconds:
            return None
        if session.parent_hash != presented_hash:
            return None
        assert session.token_issued_at, "stored with parent_hash, by one statement"
        assert session.token_expires_at, "the same"
        successor = self._tokens.same_successor(
            claims,
            issued_at=int(session.token_issued_at.timestamp()),
            expires_at=int(session.token_expires_at.timestamp()),
            stored_hash=session.token_hash,
        )
        return None if successor is None else self._tokens.pair(successor, session.access, self._tokens.signer())

    async def _record_replay(self, session: Session, origin: Origin) -> bool:
        """Writes the TOKEN_REPLAYED row. False if the session has ended or rotated meanwhile."""

        async def record(change: Change) -> bool:
            if not await queries.still_has(change.connection, session.id, session.token_hash):
                return False
            await change.record(
                Event(SessionAction.TOKEN_REPLAYED, session.user_id, session.user_id, origin, session.id)
            )
            return True

        return await self._audit.change(record)

    async def _refresh_original(self, presented: str) -> TokenPair:
        """Accepts a refresh token that node-api-postgres issued once, by its hash."""
        try:
            user_id = self._tokens.read_original(presented)
        except TokenRefused:
            raise RefreshTokenInvalid from None
        presented_hash = token_hash(presented)
        session = await queries.find_original(self._database, user_id, presented_hash)
        if session is None:
            raise RefreshTokenInvalid
        refresh = self._tokens.first(
            user_id,
            session.id,
            transport=Transport.COOKIE,
            remember=True,
            not_after=session.expires_at.timestamp(),
        )
        pair = await self._rotate(refresh, presented_hash)
        if pair is None:
            raise RefreshTokenInvalid
        return pair

    async def _end_all_for_reuse(self, claims: Claims, origin: Origin) -> bool:
        """Ends all sessions of the token's user. The commit includes the audit row and precedes every answer.

        False if no session was left to end: another request or the user was first.
        """

        async def end_all(change: Change) -> bool:
            if not await queries.lock_user(change.connection, claims.user_id):
                return False
            session = await queries.find(change.connection, claims.session_id, claims.user_id)
            if session is not None and not session.is_live:
                return False
            if not await self._ender.end_all(change, claims.user_id, EndedBy.REUSE):
                return False
            await change.record(
                Event(SessionAction.TOKEN_REUSE_DETECTED, claims.user_id, claims.user_id, origin, claims.session_id)
            )
            return True

        return await self._audit.change(end_all)
