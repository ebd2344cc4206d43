"""The claims of access and refresh tokens, and their checks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard
from uuid import UUID

from latchkey.http.request_kind import Transport

CLOCK_SKEW_SECONDS = 30
USER_ID_MAX = 2_147_483_647
PASSWORD_METHOD = "pwd"  # noqa: S105 an authentication method (RFC 8176)


class TokenKind(StrEnum):
    """The `typ` claim."""

    ACCESS = "access"
    REFRESH = "refresh"


class TokenRefused(Exception):
    """The token is not Latchkey's, or not of this kind."""


class TokenExpired(Exception):
    """The token is genuine and of this kind, but past its `exp`."""

    def __init__(self, claims: "Claims") -> None:
        super().__init__()
        self.claims = claims


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says about a user and a session, beside their ids. Apps read it, so it is a contract.

    `amr` are the methods of authentication (RFC 8176), `authenticated_at` the time of the last one in seconds since the
    epoch. `actor_id` is the administrator who acts for the user, `app` what servers have set for the app. The first
    and the third are None in tokens of version 0.2.
    """

    role: str | None
    amr: tuple[str, ...]
    authenticated_at: int | None
    actor_id: int | None = None
    app: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns the claims that apply."""
        claims: dict[str, Any] = {"role": self.role, "amr": list(self.amr), "auth_time": self.authenticated_at}
        if self.actor_id is not None:
            claims["act"] = {"sub": str(self.actor_id)}
        if self.app is not None:
            claims["app"] = self.app
        return claims


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a genuine token: its user, its session and its own id.

    `issued_at` and `expires_at` are in seconds since the epoch. `remember`: the browser keeps the cookies when it
    closes; in refresh tokens only. `access` is None in refresh tokens. `has_key`: signed with a key of the key ring.
    """

    user_id: int
    session_id: UUID
    token_id: str
    issued_at: int
    expires_at: int
    transport: Transport
    remember: bool = True
    access: AccessClaims | None = None
    has_key: bool = False


def standard_claims(
    kind: TokenKind,
    user_id: int,
    session_id: UUID,
    token_id: str,
    issued_at: int,
    expires_at: int,
    transport: Transport,
) -> dict[str, Any]:
    """Returns the claims that tokens of both kinds have."""
    claims: dict[str, Any] = {
        "sub": str(user_id),
        "id": user_id,
        "sid": str(session_id),
        "jti": token_id,
        "typ": kind.value,
        "iat": issued_at,
        "exp": expires_at,
    }
    if transport is Transport.BEARER:
        claims["via"] = transport.value
    return claims


def checked(kind: TokenKind, claims: dict[str, Any], now: float, *, has_key: bool = False) -> Claims:
    """Returns the claims of a token of that kind. Raises TokenRefused, or TokenExpired past its `exp`."""
    user_id, expires_at, issued_at = claims.get("id"), claims.get("exp"), claims.get("iat")
    if claims.get("typ") != kind.value or not is_id(user_id) or claims.get("sub") != str(user_id):
        raise TokenRefused
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise TokenRefused
    if not is_time(expires_at) or not is_time(issued_at) or not is_time(claims.get("nbf", 1)):
        raise TokenRefused
    if max(issued_at, claims.get("nbf", 0)) > now + CLOCK_SKEW_SECONDS:
        raise TokenRefused
    genuine = Claims(
        user_id,
        _session_id(claims.get("sid")),
        claims["jti"],
        issued_at,
        expires_at,
        _transport(claims.get("via", Transport.COOKIE.value)),
        claims.get("rem") is not False,
        _access(claims) if kind is TokenKind.ACCESS else None,
        has_key,
    )
    if expires_at <= now:
        raise TokenExpired(genuine)
    return genuine


def _transport(value: object) -> Transport:
    try:
        return Transport(str(value))
    except ValueError:
        raise TokenRefused from None


def _access(claims: dict[str, Any]) -> AccessClaims:
    role, authenticated_at, actor = claims.get("role"), claims.get("auth_time"), claims.get("act")
    amr = claims.get("amr", [PASSWORD_METHOD])
    if not isinstance(role, str | None) or not isinstance(amr, list) or not all(isinstance(each, str) for each in amr):
        raise TokenRefused
    if authenticated_at is not None and not is_time(authenticated_at):
        raise TokenRefused
    return AccessClaims(role, tuple(amr), authenticated_at, None if actor is None else _actor_id(actor))


def _actor_id(actor: object) -> int:
    subject = actor.get("sub") if isinstance(actor, dict) else None
    if not isinstance(subject, str) or not subject.isascii() or not subject.isdigit() or not is_id(int(subject[:11])):
        raise TokenRefused
    return int(subject[:11])


def is_id(value: object) -> TypeGuard[int]:
    """Tells whether a claim is the id of a user."""
    return type(value) is int and 0 < value <= USER_ID_MAX


def is_time(value: object) -> TypeGuard[int]:
    """Tells whether a claim is a time in seconds since the epoch."""
    return type(value) is int and 0 < value < 2**53


def _session_id(value: object) -> UUID:
    try:
        session_id = UUID(str(value))
    except ValueError:
        raise TokenRefused from None
    if str(session_id) != value:
        raise TokenRefused
    return session_id
