"""Access and refresh tokens: JWTs (RFC 7519, RFC 8725).

Access tokens are signed with a key of the key ring, whose public part anybody may read, or with JWT_ACCESS_SECRET while
there is none. Refresh tokens are read by Latchkey alone, and always signed with JWT_REFRESH_SECRET.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc.jwk import OctKey

from latchkey.clock import SECONDS_A_DAY, Clock
from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.sessions import jws
from latchkey.sessions.claims import (
    AccessClaims,
    Claims,
    TokenExpired,
    TokenKind,
    TokenRefused,
    checked,
    is_id,
    is_time,
    standard_claims,
)
from latchkey.sessions.refresh_minter import RefreshMinter
from latchkey.sessions.refresh_token import RefreshToken
from latchkey.signing.keys import Algorithm, SigningRegistry
from latchkey.signing.ring import KeyRing, SigningKey

ACCESS_TYPE = "at+jwt"
"""The `typ` of an access token that others verify (RFC 9068)."""
_REGISTRIES = {algorithm.value: SigningRegistry(algorithms=[algorithm]) for algorithm in Algorithm}


class UnknownKey(TokenRefused):
    """The token names a key that this instance does not know, perhaps not yet."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes of tokens in seconds. The defaults are the settings'.

    `access_seconds` is ACCESS_TOKEN_SECONDS; an access token never outlives its refresh token. `refresh_seconds` is
    REFRESH_TOKEN_HOURS, `native_refresh_seconds` NATIVE_REFRESH_DAYS.
    """

    access_seconds: int = 300
    refresh_seconds: int = SECONDS_A_DAY
    native_refresh_seconds: int = 30 * SECONDS_A_DAY

    def refresh_seconds_of(self, transport: Transport) -> int:
        """Returns the seconds that a refresh token of that transport lives."""
        return self.refresh_seconds if transport is Transport.COOKIE else self.native_refresh_seconds


@dataclass(frozen=True, slots=True)
class Parties:
    """The `iss` and `aud` of access tokens that others can verify: TOKEN_ISSUER and TOKEN_AUDIENCE."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A refresh token and its access token, which expires at `access_expires_at` (seconds since the epoch)."""

    refresh: RefreshToken
    access: str
    access_expires_at: int


class Tokens:
    """Mints and reads tokens. Each kind has its own secret or key, so neither can pass for the other.

    Tokens of accepted secrets are read as those of the current one, and never made.
    """

    def __init__(
        self,
        access_secret: Secret,
        refresh_secret: Secret,
        ring: KeyRing,
        clock: Clock,
        *,
        parties: Parties,
        lifetimes: Lifetimes | None = None,
    ) -> None:
        self._access_keys = [OctKey.import_key(each.encode()) for each in access_secret.every]
        self._minters = [RefreshMinter(each) for each in refresh_secret.every]
        self._refresh_keys = [minter.key for minter in self._minters]
        self._ring = ring
        self._clock = clock
        self._parties = parties
        self._lifetimes = lifetimes or Lifetimes()

    def signer(self) -> SigningKey | None:
        """Returns the key that signs access tokens now; None: JWT_ACCESS_SECRET does.

        Ask before anything is changed: raises DatabaseUnavailable if no access token can be signed.
        """
        return self._ring.signer()

    def first(
        self, user_id: int, session_id: UUID, *, transport: Transport, remember: bool, not_after: float
    ) -> RefreshToken:
        """Returns the first refresh token of a session, valid from now for its lifetime, but never past `not_after`."""
        now = int(self._clock())
        return self._minters[0].first(
            user_id,
            session_id,
            issued_at=now,
            expires_at=self._refresh_until(transport, now, not_after),
            transport=transport,
            remember=remember,
        )

    def successor(self, parent: Claims, *, not_after: float | None = None) -> RefreshToken:
        """Returns the refresh token that follows another, valid from now for its lifetime, but never past
        `not_after`."""
        now = int(self._clock())
        until = self._refresh_until(parent.transport, now, not_after)
        return self._minters[0].successor(parent, issued_at=now, expires_at=until)

    def same_successor(
        self, parent: Claims, *, issued_at: int, expires_at: int, stored_hash: bytes
    ) -> RefreshToken | None:
        """Returns the token that `successor` made, byte for byte, from its stored times and hash.

        It is the same if settings have changed since, or if another instance made it with another of the secrets that
        this one knows. None if the hash is not that of a successor.
        """
        for minter in self._minters:
            made = minter.successor(parent, issued_at=issued_at, expires_at=expires_at)
            if token_hash(made.token) == stored_hash:
                return made
        return None

    def pair(self, refresh: RefreshToken, access: AccessClaims, signer: SigningKey | None) -> TokenPair:
        """Returns a refresh token with its access token, which lives ACCESS_TOKEN_SECONDS from when the other was
        issued.

        The bytes are the same for the same refresh token, claims and signing key.
        """
        # The cap bounds the refresh token, which bounds the access token.
        expires_at = min(refresh.issued_at + self._lifetimes.access_seconds, refresh.expires_at)
        claims = (
            standard_claims(
                TokenKind.ACCESS,
                refresh.user_id,
                refresh.session_id,
                refresh.access_id,
                refresh.issued_at,
                expires_at,
                refresh.transport,
            )
            | access.as_json()
        )
        if signer is None:
            token = jws.signed(jws.SECRET_HEADER, claims, self._access_keys[0], jws.SECRET_REGISTRY)
        else:
            claims |= {"iss": self._parties.issuer, "aud": self._parties.audience}
            header = {"alg": signer.alg, "kid": signer.kid, "typ": ACCESS_TYPE}
            token = jws.signed(header, claims, signer.key, _REGISTRIES[signer.alg])
        return TokenPair(refresh, token, expires_at)

    def _refresh_until(self, transport: Transport, now: int, not_after: float | None) -> int:
        expires_at = now + self._lifetimes.refresh_seconds_of(transport)
        return expires_at if not_after is None else min(expires_at, int(not_after))

    def read(self, kind: TokenKind, token: str) -> Claims:
        """Returns the claims of a token. Raises TokenRefused, or TokenExpired for a genuine token past its expiry.

        Raises UnknownKey for an access token of another key than this instance's, and DatabaseUnavailable before the
        keys are loaded.
        """
        if kind is TokenKind.ACCESS:
            return self._read_access(token)
        return checked(kind, self._verified_refresh(token), self._clock())

    def still_accepts(self, claims: Claims) -> bool:
        """Tells whether a remembered access token is still of a kind that is accepted, whatever its expiry."""
        return claims.has_key or self._ring.accepts_hs256()

    def _read_access(self, token: str) -> Claims:
        header = jws.header_of(token)
        if "kid" in header:
            return self._read_signed(token, header)
        claims = checked(TokenKind.ACCESS, jws.verified(token, self._access_keys, jws.SECRET_REGISTRY), self._clock())
        if not self._ring.accepts_hs256():
            # Clients refresh, and get a token of the new kind.
            raise TokenExpired(claims)
        return claims

    def _read_signed(self, token: str, header: dict[str, Any]) -> Claims:
        kid = header["kid"]
        if not isinstance(kid, str) or header.get("typ") != ACCESS_TYPE:
            raise TokenRefused
        key = self._ring.find(kid)
        if key is None:
            raise UnknownKey
        if header.get("alg") != key.alg:
            raise TokenRefused
        claims = jws.verified(token, [key.key], _REGISTRIES[key.alg])
        audience = claims.get("aud")
        if claims.get("iss") != self._parties.issuer or "client_id" in claims:
            raise TokenRefused
        if self._parties.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenRefused
        return checked(TokenKind.ACCESS, claims, self._clock(), has_key=True)

    def read_original(self, token: str) -> int:
        """Returns the user id of a refresh token that node-api-postgres issued (claims `id`, `iat`, `exp` only).

        Raises TokenRefused for any other token, expired ones included.
        """
        claims = self._verified_refresh(token)
        user_id, expires_at = claims.get("id"), claims.get("exp")
        if claims.keys() != {"id", "iat", "exp"} or not is_id(user_id) or not is_time(expires_at):
            raise TokenRefused
        if expires_at <= self._clock():
            raise TokenRefused
        return user_id

    def _verified_refresh(self, token: str) -> dict[str, Any]:
        return jws.verified(token, self._refresh_keys, jws.SECRET_REGISTRY)


def token_hash(token: str) -> bytes:
    """Returns the SHA-256 (32 bytes) of a session's or a mail's token. The database holds nothing else of a token."""
    return hashlib.sha256(token.encode()).digest()
