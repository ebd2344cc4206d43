"""scrypt, in passlib's PHC form, and in the forms of Django and Werkzeug."""

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

MEMORY_MAX_BYTES = 64 * 1024 * 1024
# As much work as 64 MiB with p=4. Less memory may go with a higher p: Django's default is 16 MiB with p=5.
WORK_MAX_BYTES = 4 * MEMORY_MAX_BYTES
BLOCK_MAX = 32
# Salts are printable ASCII in the last two, without the "$" that ends them.
_PHC = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,4}),p=([0-9]{1,4})\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)", re.ASCII
)
_DJANGO = re.compile(
    r"scrypt\$([0-9]{1,10})\$([!-#%-~]+)\$([0-9]{1,4})\$([0-9]{1,4})\$([A-Za-z0-9+/]+={0,2})",
    re.ASCII,
)
_WERKZEUG = re.compile(r"scrypt:([0-9]{1,10}):([0-9]{1,4}):([0-9]{1,4})\$([!-#%-~]+)\$((?:[0-9a-f]{2})+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScryptHash(StoredHash):
    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def matches(self, password: bytes, *, truncated: bool) -> bool:  # noqa: ARG002 reads the whole password
        made = hashlib.scrypt(
            password,
            salt=self.salt,
            n=self.n,
            r=self.r,
            p=self.p,
            maxmem=128 * self.r * (self.n + self.p + 2) + 1024,
            dklen=len(self.digest),
        )
        return equal(made, self.digest)

    def stand_in(self) -> Self:
        return replace(self, salt=STAND_IN_SALT, digest=bytes(len(self.digest)))


def parse(stored: str) -> StoredHash | None:
    """Returns the hash, or None if it is of another scheme. Raises HashRefused."""
    if not stored.startswith(("$scrypt$", "scrypt$", "scrypt:")):
        return None
    if matched := _PHC.fullmatch(stored):
        n, r, p = 1 << int(matched[1]), int(matched[2]), int(matched[3])
        salt, digest = decode_base64(matched[4]), decode_base64(matched[5])
    elif matched := _DJANGO.fullmatch(stored):
        n, r, p = int(matched[1]), int(matched[3]), int(matched[4])
        salt, digest = matched[2].encode(), decode_base64(matched[5])
    elif matched := _WERKZEUG.fullmatch(stored):
        n, r, p = int(matched[1]), int(matched[2]), int(matched[3])
        salt, digest = matched[4].encode(), bytes.fromhex(matched[5])
    else:
        raise HashRefused("is not a whole scrypt hash in PHC form, or in the form of Django or Werkzeug")
    memory = 128 * n * r
    if not (1 <= r <= BLOCK_MAX and p >= 1 and memory <= MEMORY_MAX_BYTES and memory * p <= WORK_MAX_BYTES):
        raise HashRefused(f"has n={n}, r={r}, p={p} of scrypt: at most 64 MiB, with p=4, are accepted")
    if n < 2 or n & (n - 1):
        raise HashRefused(f"has n={n} of scrypt, which is no power of 2")
    check_sizes(salt, digest)
    return ScryptHash(n, r, p, salt, digest)
