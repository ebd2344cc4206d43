"""Bodies and queries of the /users endpoints."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from latchkey.http.fields import absent, checked_text
from latchkey.users.fields import EMAIL_RULE, EMAIL_SCHEMA, Email, name, name_rule

PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX = 10, 100
NUMBER_MAX = 2_147_483_647
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def _page_number(value: object) -> int:
    text = checked_text(value)
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > NUMBER_MAX:
        raise PydanticCustomError("number", f"must be a whole number of at most {NUMBER_MAX}")
    return int(text)


def _page(value: object) -> int:
    return max(1, _page_number(value))


def _limit(value: object) -> int:
    number = _page_number(value)
    return number if 1 <= number <= PAGE_LIMIT_MAX else PAGE_LIMIT_DEFAULT


class UserReplacement(BaseModel):
    """The body of PUT /users/:id. Every field is required; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    name: str
    email: Email


class UserChanges(BaseModel):
    """The body of PATCH /users/:id. At least one field is required; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    # None means absent. A client that sends null gets the same error as for any other value that is not a string.
    name: str | None = Field(default_factory=absent)
    email: Annotated[str | None, EMAIL_RULE, EMAIL_SCHEMA] = Field(default_factory=absent)


def user_replacement(name_min: int) -> type[UserReplacement]:
    """Returns UserReplacement with a name of at least `name_min` code points."""
    return create_model(
        "UserReplacement", __base__=UserReplacement, __doc__=UserReplacement.__doc__, name=(name(name_min), ...)
    )


def user_changes(name_min: int) -> type[UserChanges]:
    """Returns UserChanges with a name of at least `name_min` code points."""
    field: Any = Annotated[(str | None, *name_rule(name_min))]
    default = Field(default_factory=absent)
    return create_model("UserChanges", __base__=UserChanges, __doc__=UserChanges.__doc__, name=(field, default))


class PageQuery(BaseModel):
    """The query `?page=&limit=`. A page below 1 becomes 1; a limit outside 1 to 100 becomes 10, as in
    node-api-postgres."""

    page: Annotated[
        int,
        PlainValidator(_page, json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "maximum": NUMBER_MAX, "default": 1, "description": "the first page is 1"}),
    ] = 1
    limit: Annotated[
        int,
        PlainValidator(_limit, json_schema_input_type=Any),
        WithJsonSchema(
            {
                "type": "integer",
                "maximum": NUMBER_MAX,
                "default": PAGE_LIMIT_DEFAULT,
                "description": f"rows on a page: 1 to {PAGE_LIMIT_MAX}; any other value means {PAGE_LIMIT_DEFAULT}",
            }
        ),
    ] = PAGE_LIMIT_DEFAULT
