"""Bodies of the administration of users."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from latchkey.features.metadata.rules import JsonObject, ServersObject, checked_object
from latchkey.hashing.common_passwords import OWN, is_own
from latchkey.hashing.password_fields import new_password
from latchkey.http.fields import absent, checked_text
from latchkey.http.times import Time
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.users.fields import EMAIL_RULE, EMAIL_SCHEMA, WHITE_SPACE, Email, name, name_rule
from latchkey.users.role import Role

REASON_MAX = 500
TOKEN_CLAIMS_MAX_BYTES = 512


def _reason(value: object) -> str:
    text = checked_text(value).strip(WHITE_SPACE)
    if not 1 <= len(text) <= REASON_MAX or "\0" in text:
        raise PydanticCustomError("reason", f"must be 1 to {REASON_MAX} characters long, without NUL")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise PydanticCustomError("flag", "must be true or false")
    return value


def _role(value: object) -> Role:
    if not isinstance(value, str) or value not in set(Role):
        raise PydanticCustomError("role", f"must be {' or '.join(Role)}")
    return Role(value)


def _token_claims(value: object) -> JsonObject | None:
    return None if value is None else checked_object(value, TOKEN_CLAIMS_MAX_BYTES)


Reason = Annotated[
    str,
    PlainValidator(_reason, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": REASON_MAX, "examples": ["Spam"]}),
]
Flag = Annotated[bool | None, PlainValidator(_flag, json_schema_input_type=Any), WithJsonSchema({"type": "boolean"})]
RoleField = Annotated[
    Role | None,
    PlainValidator(_role, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "enum": list(Role)}),
]
TokenClaims = Annotated[
    JsonObject | None,
    PlainValidator(_token_claims, json_schema_input_type=Any),
    WithJsonSchema(
        {
            "anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}],
            "description": f"at most {TOKEN_CLAIMS_MAX_BYTES} bytes of JSON; null: none",
        }
    ),
]


class NewUser(BaseModel):
    """The body of POST /admin/users: a password, or `invite: true` to mail the user a link to choose one."""

    name: str
    email: Email
    password: str | None = Field(default_factory=absent)
    invite: Flag = Field(default_factory=absent)
    verified: Flag = Field(default_factory=absent)

    def check_whole(self) -> None:
        """Raises ValidationFailed unless the user gets a password in exactly one way, and no guessable one."""
        if (self.password is None) is not bool(self.invite):
            raise ValidationFailed(FieldError("password", "give either a password or invite: true"))
        if self.password is not None and is_own(self.password, self.name, self.email):
            raise ValidationFailed(FieldError("password", OWN))


class Suspension(BaseModel):
    """The body of POST /admin/users/:id/suspend. Without `until`, the suspension lasts until an admin ends it."""

    reason: Reason
    until: Time = Field(default_factory=absent)


class ServersMetadata(BaseModel):
    """The parts of metadata that servers set. Each one that is given replaces the whole part."""

    model_config = ConfigDict(extra="forbid")

    public: ServersObject = Field(default_factory=absent)
    private: ServersObject = Field(default_factory=absent)


class AdminChanges(BaseModel):
    """The body of PATCH /admin/users/:id. At least one field is required; unknown fields are refused.

    `tokenClaims` go out as `app` in access tokens, from the next refresh on; null removes them.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    name: str | None = Field(default_factory=absent)
    email: Annotated[str | None, EMAIL_RULE, EMAIL_SCHEMA] = Field(default_factory=absent)
    verified: Flag = Field(default_factory=absent)
    metadata: ServersMetadata = Field(default_factory=ServersMetadata)
    token_claims: TokenClaims = Field(default_factory=absent, alias="tokenClaims")
    role: RoleField = Field(default_factory=absent)


def new_user(*, password_min: int, name_min: int) -> type[NewUser]:
    """Returns NewUser with a password and a name of at least so many code points."""
    password: Any = Annotated[(str | None, *new_password(password_min).__metadata__)]
    return create_model(
        "NewUser",
        __base__=NewUser,
        __doc__=NewUser.__doc__,
        name=(name(name_min), ...),
        password=(password, Field(default_factory=absent)),
    )


def admin_changes(name_min: int) -> type[AdminChanges]:
    """Returns AdminChanges with a name of at least `name_min` code points."""
    field: Any = Annotated[(str | None, *name_rule(name_min))]
    default = Field(default_factory=absent)
    return create_model("AdminChanges", __base__=AdminChanges, __doc__=AdminChanges.__doc__, name=(field, default))
