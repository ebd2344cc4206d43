"""Seals secrets that the database must keep in a form that can be read again, such as private keys.

AES-256-GCM, with keys derived from JWT_REFRESH_SECRET, which no other program needs. A sealed value is: one byte of
version, four bytes that identify the secret, a nonce of 12 bytes, then the ciphertext with its tag.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
KEY_BYTES = 32
ID_BYTES = 4
NONCE_BYTES = 12
_HEAD_BYTES = len(VERSION) + ID_BYTES
_NONCE_END = _HEAD_BYTES + NONCE_BYTES


class SealBroken(Exception):
    """The value does not open: another secret sealed it, it belongs to another row, or it was changed."""


@dataclass(frozen=True, slots=True)
class _Key:
    """`head` begins every value that `cipher` seals."""

    head: bytes
    cipher: AESGCM = field(repr=False)


class Sealer:
    """Seals with `current`, the JWT_REFRESH_SECRET. Opens what `current` or one of `accepted` has sealed."""

    def __init__(self, current: str, accepted: tuple[str, ...] = ()) -> None:
        self._current = _key(current)
        self._keys = (self._current, *(_key(secret) for secret in accepted))

    def seal(self, plain: bytes, *, table: str, column: str, key: str | int) -> bytes:
        """Returns the sealed form for that column of the row with that primary key. It opens nowhere else."""
        nonce = os.urandom(NONCE_BYTES)
        return self._current.head + nonce + self._current.cipher.encrypt(nonce, plain, _place(table, column, key))

    def open(self, sealed: bytes, *, table: str, column: str, key: str | int) -> bytes:
        """Returns what was sealed for that place. Raises SealBroken."""
        nonce, ciphertext = sealed[_HEAD_BYTES:_NONCE_END], sealed[_NONCE_END:]
        # Two secrets may have the same id, so each one with the id is tried.
        for candidate in self._keys:
            if candidate.head == sealed[:_HEAD_BYTES] and len(nonce) == NONCE_BYTES:
                try:
                    return candidate.cipher.decrypt(nonce, ciphertext, _place(table, column, key))
                except InvalidTag:
                    continue
        raise SealBroken

    def is_current(self, sealed: bytes) -> bool:
        """Tells whether the current secret sealed a value that opens. If not, seal it again."""
        return sealed.startswith(self._current.head)


def _key(secret: str) -> _Key:
    return _Key(
        VERSION + _derive(secret, "latchkey seal id", ID_BYTES), AESGCM(_derive(secret, "latchkey seal", KEY_BYTES))
    )


def _derive(secret: str, info: str, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=None, info=info.encode()).derive(secret.encode())


def _place(table: str, column: str, key: str | int) -> bytes:
    # Names of tables and columns hold no "|", so two places never read alike.
    return f"{table}|{column}|{key}".encode()
