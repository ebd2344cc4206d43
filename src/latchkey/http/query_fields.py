"""Types of the fields of a query."""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.fields import given_text, whole_number


def text_of(longest: int) -> Any:
    """Returns the type of a text of 1 to `longest` characters, without NUL, which PostgreSQL cannot hold."""

    def check(value: object) -> str:
        text = given_text(value)
        if len(text) > longest or "\0" in text:
            raise PydanticCustomError("text", f"must be 1 to {longest} characters long, without NUL")
        return text

    return Annotated[
        str | None,
        PlainValidator(check, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": longest}),
    ]


def one_of(*names: str) -> Any:
    """Returns the type of one of those texts."""

    def check(value: object) -> str:
        if value not in names:
            raise PydanticCustomError("choice", f"must be one of {', '.join(names)}")
        return str(value)

    return Annotated[
        str | None,
        PlainValidator(check, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "enum": list(names)}),
    ]


def number_of(lowest: int, highest: int) -> Any:
    """Returns the type of a whole number."""
    return Annotated[
        int | None,
        PlainValidator(whole_number(lowest, highest), json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": lowest, "maximum": highest}),
    ]
