"""The rule of a time in a body or a query: RFC 3339 with an offset."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.fields import checked_text

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def _time(value: object) -> datetime:
    text = checked_text(value)
    if _RFC_3339.fullmatch(text):
        # Python reads six digits of a fraction, PostgreSQL stores as many.
        shortened = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.upper())
        try:
            return datetime.fromisoformat(shortened).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError("time", "must be a time as in RFC 3339, such as 2027-01-31T12:00:00Z")


Time = Annotated[
    datetime | None,
    PlainValidator(_time, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2027-01-31T12:00:00Z"]}),
]
"""A time in UTC. None is what a model has for an absent field; null is refused."""
