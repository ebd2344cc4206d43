"""PBKDF2 with HMAC-SHA256 or HMAC-SHA512, in PHC form, and in the forms of passlib, Django and Werkzeug."""

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Self

from latchkey.hashing.stored_hash import (
    STAND_IN_SALT,
    HashRefused,
    StoredHash,
    check_sizes,
    decode_base64,
    equal,
)

ITERATIONS_MAX = 2_000_000
# Salts are printable ASCII there, without the "$" that ends them.
BLOCK_BYTES = {"sha256": 32, "sha512": 64}
_PHC = re.compile(
    r"\$pbkdf2-(sha256|sha512)\$(?:i=)?([0-9]{1,10})(?:,l=[0-9]{1,3})?\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)", re.ASCII
)
_DJANGO = re.compile(r"pbkdf2_(sha256|sha512)\$([0-9]{1,10})\$([!-#%-~]+)\$([A-Za-z0-9+/]+={0,2})", re.ASCII)
_WERKZEUG = re.compile(r"pbkdf2:(sha256|sha512):([0-9]{1,10})\$([!-#%-~]+)\$((?:[0-9a-f]{2})+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pbkdf2Hash(StoredHash):
    algorithm: str
    iterations: int
    salt: bytes
    digest: bytes

    def matches(self, password: bytes, *, truncated: bool) -> bool:  # noqa: ARG002 reads the whole password
        made = hashlib.pbkdf2_hmac(self.algorithm, password, self.salt, self.iterations, len(self.digest))
        return equal(made, self.digest)

    def stand_in(self) -> Self:
        return replace(self, salt=STAND_IN_SALT, digest=bytes(len(self.digest)))


def parse(stored: str) -> StoredHash | None:
    """Returns the hash, or None if it is of another scheme. Raises HashRefused."""
    if not stored.startswith(("$pbkdf2", "pbkdf2_", "pbkdf2:")):
        return None
    if matched := _PHC.fullmatch(stored):
        salt, digest = decode_base64(matched[3]), decode_base64(matched[4])
    elif matched := _DJANGO.fullmatch(stored):
        salt, digest = matched[3].encode(), decode_base64(matched[4])
    elif matched := _WERKZEUG.fullmatch(stored):
        salt, digest = matched[3].encode(), bytes.fromhex(matched[4])
    else:
        raise HashRefused(
            "is not a whole PBKDF2 hash of SHA-256 or SHA-512 in PHC form, or in the form of Django or Werkzeug"
        )
    algorithm, iterations = matched[1], int(matched[2])
    if not 1 <= iterations <= ITERATIONS_MAX:
        raise HashRefused(f"has {iterations} iterations of PBKDF2: 1 to {ITERATIONS_MAX} are accepted")
    check_sizes(salt, digest)
    # Further blocks of the output repeat the work of the first one, and a match of the first one says enough.
    return Pbkdf2Hash(algorithm, iterations, salt, digest[: BLOCK_BYTES[algorithm]])
