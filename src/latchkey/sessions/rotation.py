"""Refresh: rotation with reuse detection (contract, section 6).

One statement replaces the stored hash, so of N parallel uses of one token exactly one rotates. Only when it finds no
row is the session read, to tell an ended session (a plain refusal) from reuse (every session of the user ends).
"""

from datetime import UTC, datetime
from uuid import UUID

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.http.errors import RefreshTokenInvalid, RefreshTokenReused
from latchkey.http.exchange import Origin
from latchkey.sessions import queries
from latchkey.sessions.cookies import TokenPair
from latchkey.sessions.queries import EndedBy, Session
from latchkey.sessions.tokens import Claims, TokenExpired, TokenKind, TokenRefused, Tokens, token_hash


class Rotation:
    """Exchanges a refresh token for a new pair."""

    def __init__(self, database: Database, audit: AuditLog, tokens: Tokens) -> None:
        self._database = database
        self._audit = audit
        self._tokens = tokens

    async def refresh(self, presented: str, origin: Origin) -> TokenPair:
        """The next pair of the session that `presented` is the current refresh token of.

        Raises RefreshTokenInvalid for a token that does not verify or whose session has ended (nothing happens), and
        RefreshTokenReused for one that is not the current one of a live session (all its user's sessions ended).
        """
        try:
            claims = self._tokens.read(TokenKind.REFRESH, presented)
        except TokenExpired:
            raise RefreshTokenInvalid from None
        except TokenRefused:
            return await self._refresh_original(presented)
        presented_hash = token_hash(presented)
        full_lifetime = self._tokens.lifetime_ends(TokenKind.REFRESH)
        pair = await self._rotate(claims.session_id, claims.user_id, presented_hash, full_lifetime)
        if pair is not None:
            return pair
        session = await queries.find(self._database, claims.session_id)
        if session is None or session.user_id != claims.user_id:
            await self._end_all_for_reuse(claims, origin)
            raise RefreshTokenReused
        if not session.is_live:
            raise RefreshTokenInvalid
        if session.token_hash == presented_hash and (pair := await self._rotate_into_cap(session, presented_hash)):
            return pair
        # Rotated by another use of it, before we looked or since: whether the session has ended is looked at again.
        if not await self._end_all_for_reuse(claims, origin):
            raise RefreshTokenInvalid
        raise RefreshTokenReused

    async def _rotate(self, session_id: UUID, user_id: int, old_hash: bytes, not_after: float) -> TokenPair | None:
        pair = TokenPair(
            access=self._tokens.mint(TokenKind.ACCESS, user_id, session_id, not_after=not_after),
            refresh=self._tokens.mint(TokenKind.REFRESH, user_id, session_id, not_after=not_after),
        )
        new_expires_at = datetime.fromtimestamp(not_after, UTC)
        rotated = await queries.rotate(
            self._database, session_id, user_id, old_hash, token_hash(pair.refresh), new_expires_at
        )
        return pair if rotated else None

    async def _rotate_into_cap(self, session: Session, presented_hash: bytes) -> TokenPair | None:
        """The last day of a session: its tokens must not outlive its absolute cap."""
        return await self._rotate(session.id, session.user_id, presented_hash, session.expires_at.timestamp())

    async def _refresh_original(self, presented: str) -> TokenPair:
        """A refresh token that the original issued is honoured once, by its hash (contract, section 10)."""
        try:
            user_id = self._tokens.read_original(presented)
        except TokenRefused:
            raise RefreshTokenInvalid from None
        presented_hash = token_hash(presented)
        session = await queries.find_original(self._database, user_id, presented_hash)
        if session is None:
            raise RefreshTokenInvalid
        not_after = min(self._tokens.lifetime_ends(TokenKind.REFRESH), session.expires_at.timestamp())
        pair = await self._rotate(session.id, user_id, presented_hash, not_after)
        if pair is None:
            raise RefreshTokenInvalid
        return pair

    async def _end_all_for_reuse(self, claims: Claims, origin: Origin) -> bool:
        """Ends every session of the token's user, committed with its audit row before anybody is answered.

        False when there was nothing to end any more: another request or the owner was first.
        """

        async def end_all(change: Change) -> bool:
            if not await queries.lock_user(change.connection, claims.user_id):
                return False
            session = await queries.find(change.connection, claims.session_id)
            if session is not None and session.user_id == claims.user_id and not session.is_live:
                return False
            if await queries.end_all(change.connection, claims.user_id, EndedBy.REUSE) == 0:
                return False
            await change.record(
                Event(Action.TOKEN_REUSE_DETECTED, claims.user_id, claims.user_id, origin, claims.session_id)
            )
            return True

        return await self._audit.change(end_all)
