"""Bodies of the /auth endpoints, and the password's rules (contract, section 3)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainValidator, ValidationInfo, WithJsonSchema, create_model, field_validator
from pydantic_core import PydanticCustomError

from latchkey.auth.common_passwords import COMMON, OWN, is_common, is_own
from latchkey.users.schemas import Email, Name, TypedEmail, User, checked_text

PASSWORD_MAX_BYTES = 72
TYPED_PASSWORD_MAX_BYTES = 1024


def _given(value: object) -> str:
    text = checked_text(value)
    if not text:
        raise PydanticCustomError("empty", "must not be empty")
    return text


def _typed_password(value: object) -> str:
    text = _given(value)
    if len(text.encode()) > TYPED_PASSWORD_MAX_BYTES:
        raise PydanticCustomError("password", f"must be at most {TYPED_PASSWORD_MAX_BYTES} bytes long")
    return text


def new_password(min_length: int) -> Any:
    """The type of a password that is being set: `min_length` code points or more, at most 72 bytes, byte for byte."""

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
        "description": f"at most {PASSWORD_MAX_BYTES} bytes in UTF-8, taken byte for byte",
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
ResetToken = Annotated[
    str,
    PlainValidator(_given, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "minLength": 1, "description": "from the link in the mail"}),
]


class Registration(BaseModel):
    """POST /auth/register."""

    name: Name
    email: Email
    password: str

    @field_validator("password", check_fields=False)
    @classmethod
    def _is_not_own(cls, value: str, info: ValidationInfo) -> str:
        # A bad name or address is reported by itself.
        if is_own(value, info.data.get("name", ""), info.data.get("email", "")):
            raise PydanticCustomError("password", OWN)
        return value


class LoginAttempt(BaseModel):
    """POST /auth/login."""

    email: TypedEmail
    password: TypedPassword


class PasswordChange(BaseModel):
    """POST /auth/change-password; the new password must differ from the current one."""

    current_password: TypedPassword = Field(alias="currentPassword")
    new_password: str = Field(alias="newPassword")


class ForgottenPassword(BaseModel):
    """POST /auth/forgot-password."""

    email: TypedEmail


class AddressProof(BaseModel):
    """POST /auth/verify-email."""

    token: ResetToken


class PasswordReset(BaseModel):
    """POST /auth/reset-password."""

    token: ResetToken
    new_password: str = Field(alias="newPassword")


@dataclass(frozen=True, slots=True)
class PasswordBodies:
    """The bodies that set a password, held to the operator's minimum length."""

    registration: type[Registration]
    change: type[PasswordChange]
    reset: type[PasswordReset]


def password_bodies(min_length: int) -> PasswordBodies:
    """Those bodies for PASSWORD_MIN_LENGTH code points."""
    password = new_password(min_length)
    aliased = (password, Field(alias="newPassword"))
    return PasswordBodies(
        registration=create_model("Registration", __base__=Registration, password=(password, ...)),
        change=create_model("PasswordChange", __base__=PasswordChange, new_password=aliased),
        reset=create_model("PasswordReset", __base__=PasswordReset, new_password=aliased),
    )


class SignedInUser(BaseModel):
    """`data` of register and login."""

    user: User


class CsrfToken(BaseModel):
    """The one answer without an envelope."""

    csrf_token: str = Field(serialization_alias="csrfToken")
