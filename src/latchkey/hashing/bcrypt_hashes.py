"""bcrypt, and Django's bcrypt_sha256: the hash that Latchkey makes itself, and the same over a SHA-256."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

import bcrypt

from latchkey.hashing.stored_hash import HashRefused, StoredHash

PASSWORD_MAX_BYTES = 72
"""The most bytes that bcrypt reads."""
CHEAPEST_ROUNDS, COSTLIEST_ROUNDS = 4, 16
DJANGO = "bcrypt_sha256$"
# The last character of salt and of hash holds unused bits, which every bcrypt sets to 0.
_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]", re.ASCII)


@dataclass(frozen=True, slots=True)
class BcryptHash(StoredHash):
    """`text` is the hash in bcrypt's own form. `pre_hashed`: of the SHA-256 of the password, in hex."""

    text: str
    pre_hashed: bool = False

    def matches(self, password: bytes, *, truncated: bool) -> bool:
        if self.pre_hashed:
            return bcrypt.checkpw(hashlib.sha256(password).hexdigest().encode(), self.text.encode())
        is_equal = bcrypt.checkpw(password[:PASSWORD_MAX_BYTES], self.text.encode())
        return is_equal and (truncated or len(password) <= PASSWORD_MAX_BYTES)

    def stand_in(self) -> Self:
        return type(self)(_text_of(int(self.text[4:6])), self.pre_hashed)


def bcrypt_of(rounds: int) -> BcryptHash:
    """Returns a hash of that many rounds that stands for no password."""
    return BcryptHash(_text_of(rounds))


def parse(stored: str) -> StoredHash | None:
    """Returns the hash, or None if it is of another scheme. Raises HashRefused."""
    pre_hashed = stored.startswith(DJANGO)
    text = stored.removeprefix(DJANGO)
    if not pre_hashed and not text.startswith("$2"):
        return None
    matched = _HASH.fullmatch(text)
    if matched is None:
        raise HashRefused("is not a whole bcrypt hash of the kinds 2a, 2b and 2y")
    if not CHEAPEST_ROUNDS <= int(matched[1]) <= COSTLIEST_ROUNDS:
        raise HashRefused(
            f"has {int(matched[1])} rounds of bcrypt: {CHEAPEST_ROUNDS} to {COSTLIEST_ROUNDS} are accepted"
        )
    return BcryptHash(text, pre_hashed)


def _text_of(rounds: int) -> str:
    return f"$2b${rounds:02d}${'.' * 53}"
