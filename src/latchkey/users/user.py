"""A user in answers, and a user's id in a path."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.users.errors import UserNotFound

USER_ID_MAX = 2_147_483_647
"""Ids are int32 in the database."""


class User(BaseModel):
    """A user as every answer shows it: these three fields and no other."""

    # Not validated: a row that an operator edited by hand must not break the page that lists it.
    id: int = Field(examples=[1], json_schema_extra={"minimum": 1, "maximum": USER_ID_MAX})
    name: str = Field(examples=["Siam"])
    email: str = Field(examples=["siam@example.com"])


def _user_id(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise PydanticCustomError("number", "must be a whole number")
    # Strips leading zeros: Python refuses to convert thousands of digits, even zeros.
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(USER_ID_MAX)) or int(digits) > USER_ID_MAX:
        raise UserNotFound
    return int(digits)


class UserPath(BaseModel):
    """A user's id in a path, in ASCII digits. Validation raises UserNotFound for an id that no row can have."""

    id: Annotated[
        int,
        PlainValidator(_user_id, json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": USER_ID_MAX, "examples": [1]}),
    ]


class SignedInUser(BaseModel):
    """A user as the `data` of register and login."""

    user: User
