"""Reads a stored hash of any scheme. The same bounds hold for an import and before each verification."""

import re

from latchkey.hashing import argon2_hashes, bcrypt_hashes, pbkdf2_hashes, scrypt_hashes
from latchkey.hashing.stored_hash import HashRefused, StoredHash

STORED_MAX = 255
"""The most characters that the column holds."""

NO_PASSWORD = "!"  # noqa: S105 a marker
"""Stands for the hash of an account that has no password yet. No password matches it."""

_PARSERS = (bcrypt_hashes.parse, pbkdf2_hashes.parse, argon2_hashes.parse, scrypt_hashes.parse)
_FAST = re.compile(
    r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}"
    r"|(?:md5|sha1|sha256|sha512|unsalted_md5|unsalted_sha1|hex_md5)[$:].*|\$[156]\$.*|\$apr1\$.*|\$H\$.*|\$P\$.*"
    r"|\{(?:S?MD5|S?SHA[0-9-]*|CRYPT)\}.*",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)


def parse_hash(stored: str) -> StoredHash:
    """Returns a stored hash that can be verified in bounded time. Raises HashRefused."""
    if len(stored) > STORED_MAX:
        raise HashRefused(f"has {len(stored)} characters: at most {STORED_MAX} are accepted")
    for parse in _PARSERS:
        parsed = parse(stored)
        if parsed is not None:
            return parsed
    if _FAST.fullmatch(stored):
        raise HashRefused("is of MD5 or SHA, which can be guessed too fast: import the account without it")
    raise HashRefused("is of no known form: bcrypt, Argon2, scrypt and PBKDF2 are accepted")
