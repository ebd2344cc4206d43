"""The query of a page of sessions: `?limit=&cursor=`."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.cursors import TIME_BYTES, read_cursor, read_time, write_cursor, write_time
from latchkey.http.fields import given_text
from latchkey.sessions.list_queries import Place
from latchkey.sessions.management import PAGE_MAX

_CURSOR_BYTES = TIME_BYTES + 16
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)


def cursor_of(place: Place) -> str:
    """Encodes a place as a cursor. It need not be signed: a list shows the caller's own sessions only."""
    return write_cursor(write_time(place.last_used_at) + place.session_id.bytes)


def _place(value: object) -> Place:
    raw = read_cursor(given_text(value), {_CURSOR_BYTES})
    if raw is not None:
        try:
            return Place(read_time(raw[:TIME_BYTES]), UUID(bytes=raw[TIME_BYTES:]))
        except OverflowError:
            pass
    raise PydanticCustomError("cursor", "must be a nextCursor of this list")


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
