"""Cursors: places in a list, as opaque text. They are not secret and not signed: each list says why that is safe."""

import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from latchkey.keys import base64url

TIME_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHECK_BYTES = 3
_TEXT = re.compile(r"[\w-]+", re.ASCII)


def write_cursor(raw: bytes) -> str:
    """Encodes bytes, whose length is a multiple of 3, as a cursor with a check."""
    return base64url(raw + _check(raw))


def read_cursor(text: str, lengths: set[int]) -> bytes | None:
    """Returns the bytes of a cursor that has one of the lengths. None if the text was cut, mistyped or is no cursor."""
    if not _TEXT.fullmatch(text) or len(text) % 4:
        return None
    decoded = urlsafe_b64decode(text)
    raw, check = decoded[:-_CHECK_BYTES], decoded[-_CHECK_BYTES:]
    return raw if len(raw) in lengths and check == _check(raw) else None


def write_time(time: datetime) -> bytes:
    """Encodes a time in 8 bytes, to the microsecond."""
    return ((time - _EPOCH) // timedelta(microseconds=1)).to_bytes(TIME_BYTES, "big", signed=True)


def read_time(raw: bytes) -> datetime:
    """Decodes a time. Raises OverflowError if there is no such time."""
    return _EPOCH + timedelta(microseconds=int.from_bytes(raw, "big", signed=True))


def _check(raw: bytes) -> bytes:
    return sha256(raw).digest()[:_CHECK_BYTES]
