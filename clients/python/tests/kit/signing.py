"""Keys as Latchkey makes them, and tokens signed with them."""

import hmac
import json
import time
import uuid
import warnings
from dataclasses import dataclass
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True)
class SigningKey:
    """A private key. Its `kid` is its thumbprint (RFC 7638) unless a test says otherwise."""

    kid: str
    alg: str
    key: ECKey | OKPKey

    @property
    def public(self) -> dict[str, Any]:
        """The entry of the JWKS."""
        return {**self.key.as_dict(private=False), "kid": self.kid, "alg": self.alg, "use": "sig"}

    @property
    def private(self) -> dict[str, Any]:
        """What no JWKS may have."""
        return {**self.key.as_dict(private=True), "kid": self.kid, "alg": self.alg, "use": "sig"}


def new_key(alg: str = "ES256", kid: str | None = None) -> SigningKey:
    """Makes a key."""
    key = ECKey.generate_key(_CURVES[alg]) if alg in _CURVES else OKPKey.generate_key("Ed25519")
    return SigningKey(kid or key.thumbprint(), alg, key)


def claims_of(issuer: str, **changes: Any) -> dict[str, Any]:
    """Returns the claims of an access token that began now. A change to `...` leaves a claim out."""
    now = int(time.time())
    claims = {
        "sub": "7",
        "id": 7,
        "sid": str(uuid.uuid4()),
        "jti": uuid.uuid4().hex,
        "typ": "access",
        "iat": now,
        "exp": now + 300,
        "role": "user",
        "amr": ["pwd"],
        "auth_time": now,
        "iss": issuer,
        "aud": issuer,
    }
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def sign(key: SigningKey, payload: dict[str, Any] | bytes, **header: Any) -> str:
    """Signs claims. `header` changes members of the header; `...` leaves one out."""
    members = {"alg": key.alg, "kid": key.kid, "typ": "at+jwt"} | header
    text = json.dumps({name: value for name, value in members.items() if value is not ...})
    return sign_text(key, text.encode(), payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def sign_text(key: SigningKey, header: bytes, payload: bytes) -> str:
    """Signs any two texts with the key's own algorithm, whatever the header says."""
    signed = urlsafe_b64encode(header) + b"." + urlsafe_b64encode(payload)
    with warnings.catch_warnings():
        # joserfc calls EdDSA an old name.
        warnings.simplefilter("ignore", SecurityWarning)
        signature = JWSRegistry.algorithms[key.alg].sign(signed, key.key)
    return f"{signed.decode()}.{urlsafe_b64encode(signature).decode()}"


def sign_with_secret(secret: bytes, header: bytes, payload: bytes) -> str:
    """Signs with HS256, by hand: joserfc takes no public key for a secret."""
    signed = urlsafe_b64encode(header) + b"." + urlsafe_b64encode(payload)
    return f"{signed.decode()}.{urlsafe_b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"
