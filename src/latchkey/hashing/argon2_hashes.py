"""Argon2id and Argon2i, in PHC form and in Django's."""

import re
from dataclasses import dataclass, replace
from typing import Self

from cryptography.hazmat.primitives.kdf.argon2 import Argon2i, Argon2id

from latchkey.hashing.stored_hash import (
    STAND_IN_SALT,
    HashRefused,
    StoredHash,
    check_sizes,
    decode_base64,
    equal,
)

DJANGO = "argon2$"
MEMORY_MAX_KIB = 128 * 1024
PASSES_MAX = 10
# Lanes share the memory, so more of them are no more work. Django's default is 8.
LANES_MAX = 8
SALT_MIN_BYTES = 8
_HASH = re.compile(
    r"argon2(id|i)\$v=([0-9]{1,3})\$m=([0-9]{1,10}),t=([0-9]{1,10}),p=([0-9]{1,10})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Argon2Hash(StoredHash):
    kind: type[Argon2id] | type[Argon2i]
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    digest: bytes

    def matches(self, password: bytes, *, truncated: bool) -> bool:  # noqa: ARG002 reads the whole password
        made = self.kind(
            salt=self.salt,
            length=len(self.digest),
            iterations=self.passes,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        ).derive(password)
        return equal(made, self.digest)

    def stand_in(self) -> Self:
        return replace(self, salt=STAND_IN_SALT, digest=bytes(len(self.digest)))


def parse(stored: str) -> StoredHash | None:
    """Returns the hash, or None if it is of another scheme. Raises HashRefused."""
    prefix = next((each for each in (DJANGO, "$") if stored.startswith(f"{each}argon2")), None)
    if prefix is None:
        return None
    matched = _HASH.fullmatch(stored.removeprefix(prefix))
    if matched is None or matched[2] != "19":
        raise HashRefused("is not a whole hash of argon2id or argon2i, version 19")
    memory, passes, lanes = int(matched[3]), int(matched[4]), int(matched[5])
    if not (1 <= lanes <= LANES_MAX and 8 * lanes <= memory <= MEMORY_MAX_KIB and 1 <= passes <= PASSES_MAX):
        raise HashRefused(
            f"has m={memory}, t={passes}, p={lanes} of Argon2: at most m={MEMORY_MAX_KIB}, t={PASSES_MAX},"
            f" p={LANES_MAX} are accepted"
        )
    salt, digest = decode_base64(matched[6]), decode_base64(matched[7])
    check_sizes(salt, digest, salt_min=SALT_MIN_BYTES)
    return Argon2Hash(Argon2id if matched[1] == "id" else Argon2i, memory, passes, lanes, salt, digest)
