"""Signed tokens in compact form (JWS, RFC 7515): written in one spelling, and read in no other."""

import re
from collections.abc import Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from pydantic_core import to_json

from latchkey.sessions.claims import TokenRefused

SECRET_ALGORITHM = "HS256"  # noqa: S105 an algorithm
SECRET_HEADER = {"typ": "JWT", "alg": SECRET_ALGORITHM}
"""The header of a token that a secret signs."""
SECRET_REGISTRY = JWSRegistry(algorithms=[SECRET_ALGORITHM])
TOKEN_MAX_CHARS = 4096
# Base64url whose last character has no unused bits set. Otherwise one token would have several spellings and hashes.
_PART = r"(?=[\w-])(?:[\w-]{4})*+(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?"
_COMPACT = re.compile(rf"{_PART}\.{_PART}\.{_PART}", re.ASCII)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key, registry: JWSRegistry) -> str:
    """Returns the token of these claims."""
    # The same bytes as jwt.encode, whose JSON encoding takes longer than the signature.
    return jws.serialize_compact(header, to_json(claims), key, registry=registry)


def header_of(token: str) -> dict[str, Any]:
    """Returns the header of a token that is not verified yet. Raises TokenRefused."""
    _require_form(token)
    try:
        header: Any = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise TokenRefused from None
    # joserfc takes any JSON in which "alg" is found, such as ["alg"].
    if not isinstance(header, dict):
        raise TokenRefused
    return header


def verified(token: str, keys: Sequence[Key], registry: JWSRegistry) -> dict[str, Any]:
    """Returns the claims of a token that one of these keys has signed. Raises TokenRefused.

    Tries the keys in order, and the next one only if the signature is not that of the one before.
    """
    _require_form(token)
    for key in keys:
        try:
            decoded = jwt.decode(token, key, registry=registry)
        except BadSignatureError:
            continue
        except (JoseError, ValueError, TypeError, RecursionError):
            break
        # RFC 7515 section 4.1.11: unknown critical extensions must be refused, and this code knows none.
        if "crit" in decoded.header:
            break
        return decoded.claims
    raise TokenRefused


def _require_form(token: str) -> None:
    if len(token) > TOKEN_MAX_CHARS or not _COMPACT.fullmatch(token):
        raise TokenRefused
