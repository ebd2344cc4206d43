"""The body of a registration."""

from pydantic import BaseModel, ValidationInfo, create_model, field_validator
from pydantic_core import PydanticCustomError

from latchkey.hashing.common_passwords import OWN, is_own
from latchkey.hashing.password_fields import new_password
from latchkey.users.fields import Email, name


class Registration(BaseModel):
    """The body of POST /auth/register."""

    name: str
    email: Email
    password: str

    @field_validator("password", check_fields=False)
    @classmethod
    def _is_not_own(cls, value: str, info: ValidationInfo) -> str:
        # A bad name or address has its own error and is missing here.
        if is_own(value, info.data.get("name", ""), info.data.get("email", "")):
            raise PydanticCustomError("password", OWN)
        return value


def registration(*, password_min: int, name_min: int) -> type[Registration]:
    """Returns Registration with a password and a name of at least so many code points."""
    return create_model(
        "Registration", __base__=Registration, name=(name(name_min), ...), password=(new_password(password_min), ...)
    )
