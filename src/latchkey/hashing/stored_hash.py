"""What every scheme of stored hashes offers, and why a hash is refused."""

import base64
import binascii
import hmac
from abc import ABC, abstractmethod
from typing import Self

SALT_MAX_BYTES = 128
DIGEST_MIN_BYTES, DIGEST_MAX_BYTES = 16, 128
STAND_IN_SALT = bytes(16)


class HashRefused(Exception):
    """A hash cannot be verified here, or only at too high a cost. The text says why, and never quotes the hash."""


class StoredHash(ABC):
    """A stored hash that can be verified in bounded time. Its attributes are its parameters, salt and digest.

    Two equal ones cost the same, so they can be counted.
    """

    __slots__ = ()

    @abstractmethod
    def matches(self, password: bytes, *, truncated: bool) -> bool:
        """Tells whether the password has this hash. Takes as long as the parameters say, and releases the GIL.

        `truncated`: a bcrypt hash compares the first 72 bytes of a longer password. Otherwise none matches.
        """

    @abstractmethod
    def stand_in(self) -> Self:
        """Returns a hash of the same cost that holds nothing of the account: for addresses without an account."""


def decode_base64(text: str) -> bytes:
    """Decodes base64, padded or not, also with passlib's `.` for `+`. Raises HashRefused."""
    plain = text.rstrip("=").replace(".", "+")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise HashRefused("is damaged: its base64 cannot be read") from None


def check_sizes(salt: bytes, digest: bytes, *, salt_min: int = 1) -> None:
    """Raises HashRefused if salt or digest has an unusual size."""
    if not salt_min <= len(salt) <= SALT_MAX_BYTES:
        raise HashRefused(f"has a salt of {len(salt)} bytes: {salt_min} to {SALT_MAX_BYTES} are accepted")
    if not DIGEST_MIN_BYTES <= len(digest) <= DIGEST_MAX_BYTES:
        raise HashRefused(f"has {len(digest)} bytes: {DIGEST_MIN_BYTES} to {DIGEST_MAX_BYTES} are accepted")


def equal(one: bytes, other: bytes) -> bool:
    """Compares digests in constant time."""
    return hmac.compare_digest(one, other)
