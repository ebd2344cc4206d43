"""Finds out whether an access token is good now."""

from functools import partial
from uuid import UUID

from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.features.introspection import queries
from latchkey.features.introspection.bodies import ActiveToken, Actor, InactiveToken
from latchkey.sessions.claims import Claims, TokenExpired, TokenRefused
from latchkey.sessions.guard import Guards


class Introspection:
    """Reads access tokens, and asks the database about their sessions. `issuer` and `audience` are the tokens'."""

    def __init__(self, database: Database, guards: Guards, *, issuer: str, audience: str) -> None:
        self._guards = guards
        self._owners: BatchedReads[UUID, int] = BatchedReads(partial(queries.owners_of_live, database))
        self._issuer = issuer
        self._audience = audience

    async def describe(self, token: str) -> ActiveToken | InactiveToken:
        """Returns what a token says, if it verifies and the database has its session and its user as live."""
        try:
            claims = await self._guards.find_claims(token)
        except (TokenRefused, TokenExpired):
            return InactiveToken()
        if await self._owners.read(claims.session_id) != claims.user_id:
            return InactiveToken()
        return self._described(claims)

    def _described(self, claims: Claims) -> ActiveToken:
        access = claims.access
        assert access is not None, "an access token has them"
        return ActiveToken(
            sub=str(claims.user_id),
            sid=claims.session_id,
            jti=claims.token_id,
            iss=self._issuer if claims.has_key else None,
            aud=self._audience if claims.has_key else None,
            exp=claims.expires_at,
            iat=claims.issued_at,
            role=access.role,
            amr=access.amr,
            auth_time=access.authenticated_at,
            act=None if access.actor_id is None else Actor(sub=str(access.actor_id)),
        )
