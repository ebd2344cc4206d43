"""The secret in a mail's link: derived, so that it is stored nowhere and a second sending carries the same one."""

from latchkey.keys import Mac


class MailTokens:
    """Derives tokens from the refresh secret and an outbox row's nonce; either alone is worth nothing (ADR 7)."""

    def __init__(self, refresh_secret: str) -> None:
        self._mac = Mac(refresh_secret, "mail token")

    def derive(self, nonce: bytes) -> str:
        """32 bytes in hex, the same for the same nonce as long as the secret stays."""
        return self._mac.of(nonce).hex()
