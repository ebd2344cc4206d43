"""What metadata may be."""

import json
from math import isfinite
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.fields import checked_text

OWNER_MAX_BYTES = 4_096
SERVERS_MAX_BYTES = 8_192
DEPTH_MAX = 20

JsonObject = dict[str, Any]


def stored_text(value: JsonObject) -> str:
    """Returns a JSON object as it is stored and counted: UTF-8, without white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size_of(value: JsonObject) -> int:
    """Returns the bytes of a JSON object."""
    return len(stored_text(value).encode())


def _check(value: object, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise PydanticCustomError("depth", f"must not be nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, str):
        # PostgreSQL stores no NUL in jsonb.
        if "\0" in checked_text(value):
            raise PydanticCustomError("nul", "must not contain the character NUL")
    elif isinstance(value, float) and not isfinite(value):
        raise PydanticCustomError("number", "must not contain a number that is too large")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check(name, depth)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)


def checked_object(value: object, max_bytes: int) -> JsonObject:
    """Returns a JSON object of at most so many bytes. Raises PydanticCustomError."""
    if not isinstance(value, dict):
        raise PydanticCustomError("object", "must be an object")
    _check(value, 0)
    if size_of(value) > max_bytes:
        raise PydanticCustomError("size", f"must be at most {max_bytes} bytes of JSON")
    return value


def _object_type(max_bytes: int) -> Any:
    return Annotated[
        JsonObject | None,
        PlainValidator(lambda value: checked_object(value, max_bytes), json_schema_input_type=Any),
        WithJsonSchema(
            {"type": "object", "additionalProperties": True, "description": f"at most {max_bytes} bytes of JSON"}
        ),
    ]


OwnerObject = _object_type(OWNER_MAX_BYTES)
ServersObject = _object_type(SERVERS_MAX_BYTES)
AnyObject = Annotated[JsonObject, WithJsonSchema({"type": "object", "additionalProperties": True})]
"""An object in an answer."""
