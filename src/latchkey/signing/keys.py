"""Key material and algorithms, by joserfc (RFC 7515, 7517, 7518, 8037)."""

import json
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm, ESAlgorithm
from joserfc.jwk import ECKey, JWKRegistry, Key
from joserfc.jws import JWSRegistry

P256_BYTES = 32


class Algorithm(StrEnum):
    """The algorithms that a signing key may have: the `alg` of its JWK and of the tokens that it signs."""

    ES256 = "ES256"
    EDDSA = "EdDSA"


class DeterministicES256(ESAlgorithm):
    """ES256 whose signature depends on key and message only (RFC 6979), so that the same token can be made twice."""

    def __init__(self) -> None:
        super().__init__("ES256", "P-256", 256)

    def sign(self, msg: bytes, key: ECKey) -> bytes:
        """Returns the signature in the form of RFC 7518, section 3.4."""
        r, s = decode_dss_signature(key.get_op_key("sign").sign(msg, ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(P256_BYTES) + s.to_bytes(P256_BYTES)


class Ed25519(EdDSAAlgorithm):
    """EdDSA under its name of RFC 8037. joserfc warns of that name, but verifiers do not know RFC 9864's yet."""

    security_warning = ""

    def check_key(self, key: Any) -> None:
        """Raises JoseError for a key that is not on Ed25519: an EdDSA key may be on Ed448."""
        super().check_key(key)
        if key.get("crv") != "Ed25519":
            raise JoseError("the key is not on the curve Ed25519")


class SigningRegistry(JWSRegistry):
    """The algorithms of signing keys, and no others. Pass it to joserfc with one allowed algorithm."""

    algorithms = {  # noqa: RUF012 as in the base class
        Algorithm.ES256: DeterministicES256(),
        Algorithm.EDDSA: Ed25519(),
    }
    recommended = []  # noqa: RUF012 the same


def generate(algorithm: Algorithm) -> Key:
    """Returns a new private key."""
    match algorithm:
        case Algorithm.ES256:
            return JWKRegistry.generate_key("EC", "P-256")
        case Algorithm.EDDSA:
            return JWKRegistry.generate_key("OKP", "Ed25519")


def public_jwk(key: Key, algorithm: Algorithm) -> dict[str, Any]:
    """Returns the JWK that verifiers get. Its kid is the key's thumbprint (RFC 7638)."""
    return {"kid": key.thumbprint(), "alg": str(algorithm), "use": "sig"} | {
        name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x", "y"}
    }


def private_bytes(key: Key) -> bytes:
    """Returns a private key in the form that `import_private` reads: a JWK (RFC 7517)."""
    return json.dumps(key.as_dict(private=True)).encode()


def import_private(plain: bytes) -> Key:
    """Returns a private key. Raises JoseError or ValueError for other content."""
    key = JWKRegistry.import_key(json.loads(plain))
    if not key.is_private:
        raise ValueError("not a private key")
    return key


def import_public(jwk: dict[str, Any]) -> Key:
    """Returns a public key. Raises JoseError or ValueError for other content."""
    return JWKRegistry.import_key(jwk)
