"""Access and refresh tokens: JWTs (RFC 7519, RFC 8725)."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry
from pydantic_core import to_json

from latchkey.clock import Clock
from latchkey.keys import Mac, base64url

ALGORITHM = "HS256"
CLOCK_SKEW_SECONDS = 30
USER_ID_MAX = 2_147_483_647
TOKEN_MAX_CHARS = 4096
# Base64url whose last character has no unused bits set. Otherwise one token would have several spellings and hashes.
_PART = r"(?=[\w-])(?:[\w-]{4})*+(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?"
_COMPACT = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])
_HEADER = {"typ": "JWT", "alg": ALGORITHM}


class TokenKind(StrEnum):
    """The `typ` claim."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes of tokens in seconds: ACCESS_TOKEN_SECONDS, and REFRESH_TOKEN_HOURS. The defaults are the settings'.

    An access token never outlives its refresh token.
    """

    access_seconds: int = 300
    refresh_seconds: int = 86_400


class TokenRefused(Exception):
    """The token is not Latchkey's, or not of this kind."""


class TokenExpired(Exception):
    """The token is genuine and of this kind, but past its `exp`."""

    def __init__(self, claims: "Claims") -> None:
        super().__init__()
        self.claims = claims


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a genuine token: its user, its session and its own id.

    `expires_at` is in seconds since the epoch.
    """

    user_id: int
    session_id: UUID
    token_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and a refresh token of one session. They are sent in cookies only.

    `issued_at` and `expires_at` are the refresh token's, in seconds since the epoch.
    """

    access: str
    refresh: str
    issued_at: int
    expires_at: int


class Tokens:
    """Mints and reads tokens. Each kind has its own secret, so neither can pass for the other."""

    def __init__(
        self, access_secret: str, refresh_secret: str, clock: Clock, lifetimes: Lifetimes | None = None
    ) -> None:
        self._keys = {
            TokenKind.ACCESS: OctKey.import_key(access_secret.encode()),
            TokenKind.REFRESH: OctKey.import_key(refresh_secret.encode()),
        }
        self._successor = Mac(refresh_secret, "refresh successor")
        self._clock = clock
        self._lifetimes = lifetimes or Lifetimes()

    def mint(self, user_id: int, session_id: UUID, *, not_after: float) -> TokenPair:
        """Returns the first tokens of a session, valid from now for their lifetimes, but never past `not_after`."""
        token_ids = {kind: secrets.token_urlsafe(16) for kind in TokenKind}
        now = int(self._clock())
        return self._pair(user_id, session_id, token_ids, now, self._refresh_until(now, not_after))

    def succeed(self, parent: Claims, *, not_after: float | None = None) -> TokenPair:
        """Returns the tokens that follow a refresh token, valid from now for their lifetimes, but never past
        `not_after`.

        Their ids are derived from the parent's.
        """
        now = int(self._clock())
        return self._succeed(parent, now, self._refresh_until(now, not_after))

    def succeed_again(self, parent: Claims, *, issued_at: int, expires_at: int) -> TokenPair:
        """Returns the tokens that `succeed` made, byte for byte, from the stored times of the refresh token.

        The refresh token is the same even if REFRESH_TOKEN_HOURS has changed. The access token lives for the current
        ACCESS_TOKEN_SECONDS, counted from `issued_at`.
        """
        return self._succeed(parent, issued_at, expires_at)

    def _succeed(self, parent: Claims, now: int, refresh_until: int) -> TokenPair:
        token_ids = {kind: self._successor_id(kind, parent) for kind in TokenKind}
        return self._pair(parent.user_id, parent.session_id, token_ids, now, refresh_until)

    def _refresh_until(self, now: int, not_after: float | None) -> int:
        expires_at = now + self._lifetimes.refresh_seconds
        return expires_at if not_after is None else min(expires_at, int(not_after))

    def _successor_id(self, kind: TokenKind, parent: Claims) -> str:
        return base64url(self._successor.of(f"{kind.value}|{parent.session_id}|{parent.token_id}".encode()))

    def _pair(
        self, user_id: int, session_id: UUID, token_ids: dict[TokenKind, str], now: int, refresh_until: int
    ) -> TokenPair:
        sid = str(session_id)
        expires_at = {
            # The cap bounds the refresh token, which bounds the access token.
            TokenKind.ACCESS: min(now + self._lifetimes.access_seconds, refresh_until),
            TokenKind.REFRESH: refresh_until,
        }
        access, refresh = (
            self._signed(
                kind,
                {
                    "sub": str(user_id),
                    "id": user_id,
                    "sid": sid,
                    "jti": token_ids[kind],
                    "typ": kind.value,
                    "iat": now,
                    "exp": expires_at[kind],
                },
            )
            for kind in (TokenKind.ACCESS, TokenKind.REFRESH)
        )
        return TokenPair(access, refresh, now, expires_at[TokenKind.REFRESH])

    def _signed(self, kind: TokenKind, claims: dict[str, Any]) -> str:
        # The same bytes as jwt.encode, whose JSON encoding takes longer than the signature.
        return jws.serialize_compact(_HEADER, to_json(claims), self._keys[kind], registry=_REGISTRY)

    def read(self, kind: TokenKind, token: str) -> Claims:
        """Returns the claims of a token. Raises TokenRefused, or TokenExpired for a genuine token past its expiry."""
        return self._checked(kind, self._verified(kind, token))

    def read_original(self, token: str) -> int:
        """Returns the user id of a refresh token that node-api-postgres issued (claims `id`, `iat`, `exp` only).

        Raises TokenRefused for any other token, expired ones included.
        """
        claims = self._verified(TokenKind.REFRESH, token)
        user_id, expires_at = claims.get("id"), claims.get("exp")
        if claims.keys() != {"id", "iat", "exp"} or not _is_id(user_id) or not _is_time(expires_at):
            raise TokenRefused
        if expires_at <= self._clock():
            raise TokenRefused
        return user_id

    def _verified(self, kind: TokenKind, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_MAX_CHARS or not _COMPACT.fullmatch(token):
            raise TokenRefused
        try:
            decoded = jwt.decode(token, self._keys[kind], registry=_REGISTRY)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise TokenRefused from None
        # RFC 7515 section 4.1.11: unknown critical extensions must be refused, and this code knows none.
        if "crit" in decoded.header:
            raise TokenRefused
        return decoded.claims

    def _checked(self, kind: TokenKind, claims: dict[str, Any]) -> Claims:
        now = self._clock()
        user_id, expires_at = claims.get("id"), claims.get("exp")
        if claims.get("typ") != kind.value or not _is_id(user_id) or claims.get("sub") != str(user_id):
            raise TokenRefused
        if not isinstance(claims.get("jti"), str) or not claims["jti"]:
            raise TokenRefused
        if not _is_time(expires_at) or not _is_time(claims.get("iat")) or not _is_time(claims.get("nbf", 1)):
            raise TokenRefused
        if max(claims["iat"], claims.get("nbf", 0)) > now + CLOCK_SKEW_SECONDS:
            raise TokenRefused
        genuine = Claims(user_id, _session_id(claims.get("sid")), claims["jti"], expires_at)
        if expires_at <= now:
            raise TokenExpired(genuine)
        return genuine


def token_hash(token: str) -> bytes:
    """Returns the SHA-256 (32 bytes) of a session's or a mail's token. The database holds nothing else of a token."""
    return hashlib.sha256(token.encode()).digest()


def _is_id(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= USER_ID_MAX


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value < 2**53


def _session_id(value: object) -> UUID:
    try:
        session_id = UUID(str(value))
    except ValueError:
        raise TokenRefused from None
    if str(session_id) != value:
        raise TokenRefused
    return session_id
