"""Refresh tokens. Latchkey alone reads them, so they are always signed with a JWT_REFRESH_SECRET (HS256)."""

import secrets
from uuid import UUID

from joserfc.jwk import OctKey

from latchkey.http.request_kind import Transport
from latchkey.keys import Mac, Secret, base64url
from latchkey.sessions import jws
from latchkey.sessions.claims import Claims, TokenKind, standard_claims
from latchkey.sessions.refresh_token import RefreshToken


class RefreshMinter:
    """Makes the refresh tokens of one secret, the current or an accepted one. `key` verifies them."""

    def __init__(self, secret: str) -> None:
        self.key = OctKey.import_key(secret.encode())
        self._successor = Mac(Secret(secret), "refresh successor")

    def first(
        self, user_id: int, session_id: UUID, *, issued_at: int, expires_at: int, transport: Transport, remember: bool
    ) -> RefreshToken:
        """Returns the first refresh token of a session. Its id is random."""
        return self._mint(
            user_id=user_id,
            session_id=session_id,
            token_ids={kind: secrets.token_urlsafe(16) for kind in TokenKind},
            issued_at=issued_at,
            expires_at=expires_at,
            transport=transport,
            remember=remember,
        )

    def successor(self, parent: Claims, *, issued_at: int, expires_at: int) -> RefreshToken:
        """Returns the refresh token that follows another one, and the same bytes for the same parent and times.

        Its id, and that of its access token, are derived from the parent's.
        """
        return self._mint(
            user_id=parent.user_id,
            session_id=parent.session_id,
            token_ids={kind: self._successor_id(kind, parent) for kind in TokenKind},
            issued_at=issued_at,
            expires_at=expires_at,
            transport=parent.transport,
            remember=parent.remember,
        )

    def _successor_id(self, kind: TokenKind, parent: Claims) -> str:
        return base64url(self._successor.of(f"{kind.value}|{parent.session_id}|{parent.token_id}".encode()))

    def _mint(
        self,
        *,
        user_id: int,
        session_id: UUID,
        token_ids: dict[TokenKind, str],
        issued_at: int,
        expires_at: int,
        transport: Transport,
        remember: bool,
    ) -> RefreshToken:
        claims = standard_claims(
            TokenKind.REFRESH, user_id, session_id, token_ids[TokenKind.REFRESH], issued_at, expires_at, transport
        )
        if not remember:
            claims["rem"] = False
        return RefreshToken(
            token=jws.signed(jws.SECRET_HEADER, claims, self.key, jws.SECRET_REGISTRY),
            user_id=user_id,
            session_id=session_id,
            access_id=token_ids[TokenKind.ACCESS],
            issued_at=issued_at,
            expires_at=expires_at,
            transport=transport,
            remember=remember,
        )
