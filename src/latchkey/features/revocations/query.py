"""The query `?since=&wait=` and its cursors."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.features.revocations.passes import Cursor
from latchkey.features.revocations.queries import Ended, Tally
from latchkey.http.cursors import TIME_BYTES, read_cursor, read_time, write_cursor, write_time
from latchkey.http.fields import absent, given_text, whole_number

WAIT_MAX_SECONDS = 25
FIRST_YEAR = 1970
# 9 bytes are more than a sum needs, and make the length of a cursor a multiple of 3.
_NUMBER_BYTES, _HASHES_BYTES, _ID_BYTES = 4, 9, 16
_FINISHED_BYTES = TIME_BYTES + _NUMBER_BYTES + _HASHES_BYTES
_GOING_ON_BYTES = _FINISHED_BYTES + TIME_BYTES + _ID_BYTES


def cursor_text(cursor: Cursor) -> str:
    """Encodes a cursor. It need not be signed: a reader may see every ended session anyway."""
    delivered = cursor.delivered
    raw = write_time(cursor.began_at) + delivered.number.to_bytes(_NUMBER_BYTES, "big")
    raw += delivered.hashes.to_bytes(_HASHES_BYTES, "big", signed=True)
    if cursor.place is not None:
        raw += write_time(cursor.place.ended_at) + cursor.place.session_id.bytes
    return write_cursor(raw)


def _cursor(value: object) -> Cursor:
    raw = read_cursor(given_text(value), {_FINISHED_BYTES, _GOING_ON_BYTES})
    if raw is not None:
        try:
            cursor = _decoded(raw)
            # Nothing can be 10 s before the earliest of all times.
            if cursor.began_at.year >= FIRST_YEAR:
                return cursor
        except OverflowError:
            pass
    raise PydanticCustomError("cursor", "must be the cursor of an earlier answer")


def _decoded(raw: bytes) -> Cursor:
    place = None
    if rest := raw[_FINISHED_BYTES:]:
        place = Ended(read_time(rest[:TIME_BYTES]), UUID(bytes=rest[TIME_BYTES:]))
    hashes_at = TIME_BYTES + _NUMBER_BYTES
    tally = Tally(
        int.from_bytes(raw[TIME_BYTES:hashes_at], "big"),
        int.from_bytes(raw[hashes_at:_FINISHED_BYTES], "big", signed=True),
    )
    return Cursor(read_time(raw[:TIME_BYTES]), tally, place)


class RevocationsQuery(BaseModel):
    """The query `?since=&wait=`: what ended after an earlier answer, and how long to wait for it."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        Cursor | None,
        PlainValidator(_cursor, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "description": "`data.cursor` of the answer before"}),
    ] = Field(default_factory=absent)
    wait: Annotated[
        int,
        PlainValidator(whole_number(0, WAIT_MAX_SECONDS, unit=" of seconds"), json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": WAIT_MAX_SECONDS, "default": 0}),
    ] = 0
