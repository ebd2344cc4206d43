"""Keys derived from a signing secret, so that no MAC of one purpose is valid for another."""

import hmac
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Mac:
    """HMAC-SHA256 under a key for one purpose, the same on every instance that has the secret (HKDF, RFC 5869)."""

    def __init__(self, secret: str, purpose: str) -> None:
        key = HKDF(SHA256(), length=32, salt=None, info=f"latchkey {purpose}".encode()).derive(secret.encode())
        self._keyed = hmac.new(key, digestmod="sha256")

    def of(self, message: bytes) -> bytes:
        """The 32 bytes that only who has the secret can make of a message."""
        # hmac.digest would let other threads have the interpreter for each message: ten times what it takes itself.
        mac = self._keyed.copy()
        mac.update(message)
        return mac.digest()


def base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
