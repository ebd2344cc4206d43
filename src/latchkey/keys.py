"""Derives keys from a signing secret, so that a MAC of one purpose is not valid for another."""

import hmac
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Mac:
    """HMAC-SHA256 under a key for one purpose.

    Every instance with the same secret has the same key (HKDF, RFC 5869).
    """

    def __init__(self, secret: str, purpose: str) -> None:
        key = HKDF(SHA256(), length=32, salt=None, info=f"latchkey {purpose}".encode()).derive(secret.encode())
        self._keyed = hmac.new(key, digestmod="sha256")

    def of(self, message: bytes) -> bytes:
        """Returns the 32-byte MAC of a message. Making one requires the secret."""
        # hmac.digest releases the interpreter lock for each message, which takes ten times as long as the MAC.
        mac = self._keyed.copy()
        mac.update(message)
        return mac.digest()


def base64url(raw: bytes) -> str:
    """Encodes as base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
