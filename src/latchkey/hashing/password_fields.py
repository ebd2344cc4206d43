"""Field types with the rules of passwords."""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.hashing.bcrypt_hashes import PASSWORD_MAX_BYTES
from latchkey.hashing.common_passwords import COMMON, is_common
from latchkey.http.fields import checked_text, given_text

TYPED_PASSWORD_MAX_BYTES = 1024


def _typed_password(value: object) -> str:
    text = given_text(value)
    if len(text.encode()) > TYPED_PASSWORD_MAX_BYTES:
        raise PydanticCustomError("password", f"must be at most {TYPED_PASSWORD_MAX_BYTES} bytes long")
    return text


def new_password(min_length: int) -> Any:
    """Returns the type of a new password: at least `min_length` code points, at most 72 bytes, kept byte for byte."""

    def check(value: object) -> str:
        text = checked_text(value)
        if len(text) < min_length or len(text.encode()) > PASSWORD_MAX_BYTES:
            raise PydanticCustomError(
                "password", f"must be at least {min_length} characters and at most {PASSWORD_MAX_BYTES} bytes long"
            )
        if is_common(text):
            raise PydanticCustomError("password", COMMON)
        return text

    schema = {
        "type": "string",
        "format": "password",
        "minLength": min_length,
        "maxLength": PASSWORD_MAX_BYTES,
        "examples": ["Secret123!"],
        "description": f"at most {PASSWORD_MAX_BYTES} bytes in UTF-8, used byte for byte",
    }
    return Annotated[str, PlainValidator(check, json_schema_input_type=Any), WithJsonSchema(schema)]


TypedPassword = Annotated[
    str,
    PlainValidator(_typed_password, json_schema_input_type=Any),
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": 1,
            "maxLength": TYPED_PASSWORD_MAX_BYTES,
            "examples": ["Secret123!"],
        }
    ),
]
