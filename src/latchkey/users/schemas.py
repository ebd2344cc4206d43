"""Fields of a user, with one rule each, the same on every route that takes them (contract, section 3)."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.users.errors import UserNotFound

NAME_MIN, NAME_MAX = 3, 100
EMAIL_MAX, LOCAL_PART_MAX = 150, 64
INT32_MAX = 2_147_483_647
PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX = 10, 100

# What JavaScript's trim() removes, as the original did; Python's strip() would take control characters with it.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+(?P<top>{_LABEL})", re.ASCII)
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def checked_text(value: object) -> str:
    """A string without lone surrogates, which neither UTF-8 nor PostgreSQL can hold. Raises PydanticCustomError."""
    if not isinstance(value, str):
        raise PydanticCustomError("not_text", "must be a string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("surrogate", "must not contain lone surrogates")
    return value


def _name(value: object) -> str:
    text = checked_text(value).strip(WHITE_SPACE)
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise PydanticCustomError("name", "must not contain control characters")
    if not NAME_MIN <= len(text) <= NAME_MAX:
        raise PydanticCustomError("name", f"must be {NAME_MIN} to {NAME_MAX} characters long")
    return text


def _email(value: object) -> str:
    text = checked_text(value)
    matched = _EMAIL.fullmatch(text) if len(text) <= EMAIL_MAX else None
    if matched is None or len(matched["local"]) > LOCAL_PART_MAX or matched["top"].isdigit():
        raise PydanticCustomError("email", f"must be a valid e-mail address of at most {EMAIL_MAX} characters")
    return text.lower()


def _typed_email(value: object) -> str:
    text = checked_text(value)
    if not text.isascii() or not text.isprintable() or len(text) > EMAIL_MAX or text.count("@") != 1:
        raise PydanticCustomError("email", f"must be an e-mail address of at most {EMAIL_MAX} ASCII characters")
    return text.lower()


def _page_number(value: object) -> int:
    text = checked_text(value)
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > INT32_MAX:
        raise PydanticCustomError("number", f"must be a whole number of at most {INT32_MAX}")
    return int(text)


def _page(value: object) -> int:
    return max(1, _page_number(value))


def _limit(value: object) -> int:
    number = _page_number(value)
    return number if 1 <= number <= PAGE_LIMIT_MAX else PAGE_LIMIT_DEFAULT


_NAME_RULE = PlainValidator(_name, json_schema_input_type=Any)
_NAME_SCHEMA = WithJsonSchema({"type": "string", "minLength": NAME_MIN, "maxLength": NAME_MAX, "examples": ["Siam"]})
_EMAIL_RULE = PlainValidator(_email, json_schema_input_type=Any)
_EMAIL_SCHEMA = WithJsonSchema(
    {"type": "string", "format": "email", "maxLength": EMAIL_MAX, "examples": ["siam@example.com"]}
)
Name = Annotated[str, _NAME_RULE, _NAME_SCHEMA]
Email = Annotated[str, _EMAIL_RULE, _EMAIL_SCHEMA]
TypedEmail = Annotated[
    str,
    PlainValidator(_typed_email, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "maxLength": EMAIL_MAX, "examples": ["siam@example.com"]}),
]


def _user_id(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise PydanticCustomError("number", "must be a whole number")
    # Without leading zeros: Python refuses to convert thousands of digits, whatever they amount to.
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(INT32_MAX)) or int(digits) > INT32_MAX:
        raise UserNotFound
    return int(digits)


class UserPath(BaseModel):
    """A user's id in a path: ASCII digits. Validation raises UserNotFound for one that no row can have."""

    id: Annotated[
        int,
        PlainValidator(_user_id, json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": INT32_MAX, "examples": [1]}),
    ]


class User(BaseModel):
    """A user as every answer shows one: these three fields and no other."""

    # Shown, not checked: a row that somebody made by hand must not break the page that it is on.
    id: int = Field(examples=[1], json_schema_extra={"minimum": 1, "maximum": INT32_MAX})
    name: str = Field(examples=["Siam"])
    email: str = Field(examples=["siam@example.com"])


class UserReplacement(BaseModel):
    """PUT: every field, and none that is not known."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    email: Email


def _absent() -> None:
    return None


class UserChanges(BaseModel):
    """PATCH: at least one field, and none that is not known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    # None means absent; sent as a value it is as bad as any other that is no string. A factory keeps it out of the
    # JSON Schema, where a default of null would read as permission.
    name: Annotated[str | None, _NAME_RULE, _NAME_SCHEMA] = Field(default_factory=_absent)
    email: Annotated[str | None, _EMAIL_RULE, _EMAIL_SCHEMA] = Field(default_factory=_absent)


class PageQuery(BaseModel):
    """`?page=&limit=`: a page below 1 is page 1, a limit outside 1 to 100 is 10, as in the original."""

    page: Annotated[
        int,
        PlainValidator(_page, json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "maximum": INT32_MAX, "default": 1, "description": "1 is the first"}),
    ] = 1
    limit: Annotated[
        int,
        PlainValidator(_limit, json_schema_input_type=Any),
        WithJsonSchema(
            {
                "type": "integer",
                "maximum": INT32_MAX,
                "default": PAGE_LIMIT_DEFAULT,
                "description": f"rows on a page: 1 to {PAGE_LIMIT_MAX}; anything else counts as {PAGE_LIMIT_DEFAULT}",
            }
        ),
    ] = PAGE_LIMIT_DEFAULT
