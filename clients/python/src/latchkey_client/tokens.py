"""Access tokens: their form and their claims (RFC 7519, RFC 8725, RFC 9068)."""

import json
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc.util import urlsafe_b64decode

from latchkey_client.errors import InvalidToken, TokenExpired
from latchkey_client.user import User

MAX_CHARS = 4096
CLOCK_SKEW_SECONDS = 30
TYPE = "at+jwt"
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
# One spelling, since ended sessions are looked up by it.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DECIMAL = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def looks_like_token(text: str) -> bool:
    """Tells whether the text is a JWS in compact form, and not longer than any token of Latchkey."""
    return len(text) <= MAX_CHARS and _COMPACT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature is not verified yet. `kid` is None without a string of that name in the header."""

    text: str
    header: dict[str, Any]
    payload: bytes

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Takes a token apart. Raises InvalidToken."""
        if not looks_like_token(text):
            raise InvalidToken("it is not a JWS in compact form")
        header, payload, _ = text.split(".")
        return cls(text, _json_object(_decoded(header)), _decoded(payload))

    @property
    def kid(self) -> str | None:
        """The id of the key, or None if it is no string."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is made of."""
        return self.text.rpartition(".")[0].encode()

    def signature(self) -> bytes:
        """Returns the signature. Raises InvalidToken if it is not base64url."""
        return _decoded(self.text.rpartition(".")[2])

    def require_header(self, algorithm: str) -> None:
        """Raises InvalidToken unless the header is that of an access token for a key of this algorithm.

        `jku`, `jwk`, `x5u` and `x5c` have no effect: only the configured JWKS says which keys count.
        """
        if self.header.get("alg") != algorithm:
            raise InvalidToken(f"its alg is {self.header.get('alg')!r}, and its key's is {algorithm!r}")
        if self.header.get("typ") != TYPE:
            raise InvalidToken(f"its typ is {self.header.get('typ')!r}, not {TYPE!r}")
        # RFC 7515 section 4.1.11: this code knows no critical extension.
        if "crit" in self.header:
            raise InvalidToken("it has critical extensions")

    def user(self, *, issuer: str, audience: str, now: float) -> User:
        """Returns the user whom the claims name. Raises InvalidToken or TokenExpired. `now`: seconds since the epoch."""
        claims = _json_object(self.payload)
        user_id, expires_at, audiences = claims.get("id"), claims.get("exp"), claims.get("aud")
        if claims.get("iss") != issuer:
            raise InvalidToken(f"its iss is {claims.get('iss')!r}, not {issuer!r}")
        if audiences != audience and not (isinstance(audiences, list) and audience in audiences):
            raise InvalidToken(f"its aud is {audiences!r}, without {audience!r}")
        # An OAuth client's token may have this audience, and names no session of the user's own.
        if claims.get("typ") != "access" or "client_id" in claims:
            raise InvalidToken("it is another kind of token")
        if type(user_id) is not int or user_id <= 0 or claims.get("sub") != str(user_id):
            raise InvalidToken("its id or sub is missing or malformed")
        if not isinstance(claims.get("jti"), str) or not claims["jti"] or not _is_uuid(claims.get("sid")):
            raise InvalidToken("its jti or sid is missing or malformed")
        if not _is_time(expires_at) or not _is_time(claims.get("iat")) or not _is_time(claims.get("nbf", 1)):
            raise InvalidToken("its exp, iat or nbf is missing or malformed")
        if max(claims["iat"], claims.get("nbf", 0)) > now + CLOCK_SKEW_SECONDS:
            raise InvalidToken("it is from the future: compare the clocks of this machine and Latchkey's")
        user = User(
            id=user_id,
            session_id=claims["sid"],
            role=_role(claims),
            amr=_methods(claims),
            auth_time=_auth_time(claims),
            actor_id=_actor_id(claims),
            claims=claims,
        )
        if expires_at <= now:
            raise TokenExpired("it has expired")
        return user


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode())
    except ValueError:
        raise InvalidToken("it is not base64url") from None


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidToken("it is not made of JSON objects")
    return value


def _role(claims: dict[str, Any]) -> str | None:
    role = claims.get("role")
    if role is not None and not isinstance(role, str):
        raise InvalidToken("its role is malformed")
    return role


def _methods(claims: dict[str, Any]) -> frozenset[str]:
    methods = claims.get("amr", [])
    if not isinstance(methods, list) or not all(isinstance(method, str) for method in methods):
        raise InvalidToken("its amr is malformed")
    return frozenset(methods)


def _auth_time(claims: dict[str, Any]) -> int | None:
    auth_time = claims.get("auth_time")
    if auth_time is not None and not _is_time(auth_time):
        raise InvalidToken("its auth_time is malformed")
    return auth_time


def _actor_id(claims: dict[str, Any]) -> int | None:
    """Returns the `sub` of the claim `act` (RFC 8693, section 4.1)."""
    if "act" not in claims:
        return None
    actor = claims["act"].get("sub") if isinstance(claims["act"], dict) else None
    if not isinstance(actor, str) or not _DECIMAL.fullmatch(actor):
        raise InvalidToken("its act is malformed")
    return int(actor)


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value < 2**53


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
