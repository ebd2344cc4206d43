"""The secret in a mail's link: derived, so that it is stored nowhere and a second sending carries the same one."""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class MailTokens:
    """Derives tokens from the refresh secret and an outbox row's nonce; either alone is worth nothing (ADR 7)."""

    def __init__(self, refresh_secret: str) -> None:
        self._key = HKDF(SHA256(), length=32, salt=None, info=b"latchkey mail token").derive(refresh_secret.encode())

    def derive(self, nonce: bytes) -> str:
        """32 bytes in hex, the same for the same nonce as long as the secret stays."""
        return hmac.digest(self._key, nonce, "sha256").hex()
