"""The secrets, and the keys that are derived from them, so that a MAC of one purpose is not valid for another."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Secret:
    """JWT_ACCESS_SECRET or JWT_REFRESH_SECRET, and the other ones that are accepted while an operator rotates it.

    Everything is made with `current`. What one of `accepted` has made is still good.
    """

    current: str = field(repr=False)
    accepted: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def reveal(cls, current: SecretStr, accepted: Iterable[SecretStr]) -> "Secret":
        """Returns the secret that these settings hide."""
        return cls(current.get_secret_value(), tuple(each.get_secret_value() for each in accepted))

    @property
    def every(self) -> tuple[str, ...]:
        """Returns the current secret, then the accepted ones."""
        return (self.current, *self.accepted)


class Mac:
    """HMAC-SHA256 under a key for one purpose.

    Every instance with the same secret has the same key (HKDF, RFC 5869).
    """

    def __init__(self, secret: Secret, purpose: str) -> None:
        self._current, *self._accepted = [_keyed(each, purpose) for each in secret.every]

    def of(self, message: bytes) -> bytes:
        """Returns the 32-byte MAC of a message under the current secret. Making one requires the secret."""
        return _mac(self._current, message)

    def accepted(self, message: bytes) -> Iterator[bytes]:
        """Yields the MAC of a message under each accepted secret, computed when it is asked for.

        Compare with `of` first, and with these only if that is another one.
        """
        for keyed in self._accepted:
            yield _mac(keyed, message)


def _keyed(secret: str, purpose: str) -> hmac.HMAC:
    key = HKDF(SHA256(), length=32, salt=None, info=f"latchkey {purpose}".encode()).derive(secret.encode())
    return hmac.new(key, digestmod="sha256")


def _mac(keyed: hmac.HMAC, message: bytes) -> bytes:
    # hmac.digest releases the interpreter lock for each message, which takes ten times as long as the MAC.
    mac = keyed.copy()
    mac.update(message)
    return mac.digest()


def base64url(raw: bytes) -> str:
    """Encodes as base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
