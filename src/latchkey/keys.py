"""Keys derived from a signing secret, so that no MAC of one purpose is valid for another."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose, the same on every instance that has the secret (HKDF, RFC 5869)."""
    return HKDF(SHA256(), length=32, salt=None, info=f"latchkey {purpose}".encode()).derive(secret.encode())
