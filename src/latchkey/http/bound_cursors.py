"""Cursors that hold for one list only: its order and its filters are in their MAC."""

import hmac
import json
from base64 import urlsafe_b64decode
from binascii import Error
from typing import Any

from latchkey.keys import Mac, base64url
from latchkey.refusal import FieldError, ValidationFailed

_MAC_BYTES = 16


class BoundCursors:
    """Writes and reads cursors. `about` says which list a cursor is for: the same text gives the same list."""

    def __init__(self, mac: Mac) -> None:
        self._mac = mac

    def write(self, about: str, place: list[Any]) -> str:
        """Returns the cursor of a place: the sort keys of the last row of a page, as JSON."""
        raw = json.dumps(place, separators=(",", ":")).encode()
        return base64url(self._mac.of(_message(about, raw))[:_MAC_BYTES] + raw)

    def read(self, about: str, text: str) -> list[Any]:
        """Returns the place of a cursor. Raises ValidationFailed for a cursor of another list, and for other text."""
        try:
            decoded = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (Error, ValueError):
            decoded = b""
        mac, raw = decoded[:_MAC_BYTES], decoded[_MAC_BYTES:]
        message = _message(about, raw)
        for expected in (self._mac.of(message), *self._mac.accepted(message)):
            if hmac.compare_digest(mac, expected[:_MAC_BYTES]):
                place: list[Any] = json.loads(raw)
                return place
        raise ValidationFailed(FieldError("cursor", "must be a nextCursor of a list with the same sort and filters"))


def _message(about: str, raw: bytes) -> bytes:
    return about.encode() + b"\0" + raw
