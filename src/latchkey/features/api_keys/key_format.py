"""The form of an API key: `lk_`, an id of 12 characters, `_`, a secret of 43, and a checksum of 6, all in base62.

The prefix and the checksum let scanners of source code recognise a leaked key, and let Latchkey refuse a mistyped one
without asking the database.
"""

import re
import secrets
import string
import zlib
from dataclasses import dataclass
from hashlib import sha256

from latchkey.http.request_kind import API_KEY_PREFIX

ID_CHARS = 12
# 43 characters of base62 have 256 bits.
SECRET_CHARS = 43
# The largest CRC-32 has 6 digits in base62.
CHECKSUM_CHARS = 6
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(
    rf"{API_KEY_PREFIX}([0-9A-Za-z]{{{ID_CHARS}}})_[0-9A-Za-z]{{{SECRET_CHARS}}}([0-9A-Za-z]{{{CHECKSUM_CHARS}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key as a request brings it: its id, and its hash."""

    id: str
    hash: bytes


def new_key() -> str:
    """Returns a new random key."""
    unchecked = f"{API_KEY_PREFIX}{_random(ID_CHARS)}_{_random(SECRET_CHARS)}"
    return unchecked + _checksum(unchecked)


def read_key(text: str) -> PresentedKey | None:
    """Returns the id and the hash of a key, or None for text of another form or with a wrong checksum."""
    matched = _KEY.fullmatch(text)
    if matched is None or matched[2] != _checksum(text[:-CHECKSUM_CHARS]):
        return None
    return PresentedKey(matched[1], hash_of(text))


def hash_of(text: str) -> bytes:
    """Returns the SHA-256 of a whole key, or of any text of a header. Nothing else of a key is kept."""
    return sha256(text.encode("latin-1")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def _checksum(unchecked: str) -> str:
    """Returns the CRC-32 in base62, most significant digit first, filled with zeros."""
    number, digits = zlib.crc32(unchecked.encode("ascii")), ""
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
