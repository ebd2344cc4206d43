"""The query of a page of sessions: `?limit=&cursor=`."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.cursors import TIME_BYTES, read_cursor, read_time, write_cursor, write_time
from latchkey.http.fields import absent, given_text, whole_number
from latchkey.sessions.list_queries import Place
from latchkey.sessions.management import PAGE_MAX

_CURSOR_BYTES = TIME_BYTES + 16


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


class SessionsQuery(BaseModel):
    """The query `?limit=&cursor=`: at most `limit` sessions, from the cursor's place on.

    Without cursor: the first page.
    """

    limit: Annotated[
        int,
        PlainValidator(whole_number(1, PAGE_MAX), json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_MAX}),
    ] = PAGE_MAX
    cursor: Annotated[
        Place | None,
        PlainValidator(_place, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "description": "`meta.nextCursor` of the previous page"}),
    ] = Field(default_factory=absent)
