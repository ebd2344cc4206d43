"""Fields of a user. Each has one rule, the same on every route."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.http.fields import checked_text
from latchkey.users.visible import is_visible

NAME_MAX = 100
EMAIL_MAX, LOCAL_PART_MAX = 150, 64

# What JavaScript's trim() removes, as in node-api-postgres. Python's strip() would also remove control characters.
WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+(?P<top>{_LABEL})", re.ASCII)


def name_rule(min_length: int) -> tuple[PlainValidator, WithJsonSchema]:
    """Returns validator and JSON Schema of a name: trimmed, `min_length` to 100 code points, at least one visible."""

    def check(value: object) -> str:
        text = checked_text(value).strip(WHITE_SPACE)
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise PydanticCustomError("name", "must not contain control characters")
        if not min_length <= len(text) <= NAME_MAX:
            raise PydanticCustomError("name", f"must be {min_length} to {NAME_MAX} characters long")
        if not any(map(is_visible, text)):
            raise PydanticCustomError("name", "must have a visible character")
        return text

    schema = {"type": "string", "minLength": min_length, "maxLength": NAME_MAX, "examples": ["Siam"]}
    return PlainValidator(check, json_schema_input_type=Any), WithJsonSchema(schema)


def name(min_length: int) -> Any:
    """Returns the type of a name of at least `min_length` code points."""
    return Annotated[(str, *name_rule(min_length))]


def _email(value: object) -> str:
    text = checked_text(value)
    matched = _EMAIL.fullmatch(text) if len(text) <= EMAIL_MAX else None
    if matched is None or len(matched["local"]) > LOCAL_PART_MAX or matched["top"].isdigit():
        raise PydanticCustomError("email", f"must be a valid e-mail address of at most {EMAIL_MAX} characters")
    return text.lower()


def _typed_email(value: object) -> str:
    # Phone keyboards add a space after a completed address.
    text = checked_text(value).strip(" \t\r\n")
    if not text.isascii() or not text.isprintable() or len(text) > EMAIL_MAX or text.count("@") != 1:
        raise PydanticCustomError("email", f"must be an e-mail address of at most {EMAIL_MAX} ASCII characters")
    return text.lower()


EMAIL_RULE = PlainValidator(_email, json_schema_input_type=Any)
EMAIL_SCHEMA = WithJsonSchema(
    {"type": "string", "format": "email", "maxLength": EMAIL_MAX, "examples": ["siam@example.com"]}
)
Email = Annotated[str, EMAIL_RULE, EMAIL_SCHEMA]
TypedEmail = Annotated[
    str,
    PlainValidator(_typed_email, json_schema_input_type=Any),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": EMAIL_MAX,
            "examples": ["siam@example.com"],
            "description": "space, tab, CR and LF at either end are ignored",
        }
    ),
]
