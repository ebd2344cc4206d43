"""The query of a page of sessions: `?limit=&cursor=`."""

import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.fields import given_text
from latchkey.keys import base64url
from latchkey.sessions.management import PAGE_MAX
from latchkey.sessions.queries import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES, _ID_BYTES, _CHECK_BYTES = 8, 16, 3
_CURSOR = re.compile(r"[\w-]{36}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)


def cursor_of(place: Place) -> str:
    """Encodes a place as a cursor. A cursor is not secret: a list shows the caller's own sessions only."""
    microseconds = (place.last_used_at - _EPOCH) // timedelta(microseconds=1)
    raw = microseconds.to_bytes(_TIME_BYTES, "big", signed=True) + place.session_id.bytes
    return base64url(raw + _check(raw))


def _place(value: object) -> Place:
    text = given_text(value)
    raw = urlsafe_b64decode(text) if _CURSOR.fullmatch(text) else b""
    place, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    # A cut or mistyped cursor would give a wrong page.
    if not raw or check != _check(place):
        raise PydanticCustomError("cursor", "must be a nextCursor of this list")
    microseconds = int.from_bytes(place[:_TIME_BYTES], "big", signed=True)
    try:
        return Place(_EPOCH + timedelta(microseconds=microseconds), UUID(bytes=place[_TIME_BYTES:]))
    except OverflowError:
        raise PydanticCustomError("cursor", "must be a nextCursor of this list") from None


def _check(raw: bytes) -> bytes:
    return sha256(raw).digest()[:_CHECK_BYTES]


def _limit(value: object) -> int:
    text = given_text(value)
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= PAGE_MAX:
        raise PydanticCustomError("limit", f"must be a whole number from 1 to {PAGE_MAX}")
    return int(text)


def _absent() -> None:
    return None


class SessionsQuery(BaseModel):
    """The query `?limit=&cursor=`: at most `limit` sessions, from the cursor's place on.

    Without cursor: the first page.
    """

    limit: Annotated[
        int,
        PlainValidator(_limit, json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_MAX}),
    ] = PAGE_MAX
    # A factory keeps the default out of the JSON Schema, where `null` would look permitted.
    cursor: Annotated[
        Place | None,
        PlainValidator(_place, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "description": "`meta.nextCursor` of the previous page"}),
    ] = Field(default_factory=_absent)
