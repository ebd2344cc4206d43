"""Bodies of the password endpoints."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from latchkey.hashing.common_passwords import OWN, is_own
from latchkey.hashing.password_fields import TypedPassword, new_password
from latchkey.mail.tokens import LinkToken
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.users.fields import TypedEmail
from latchkey.users.user import User


class PasswordChange(BaseModel):
    """The body of POST /auth/change-password. The new password must differ from the current one."""

    current_password: TypedPassword = Field(alias="currentPassword")
    new_password: str = Field(alias="newPassword")


class ForgottenPassword(BaseModel):
    """The body of POST /auth/forgot-password."""

    email: TypedEmail


class PasswordReset(BaseModel):
    """The body of POST /auth/reset-password."""

    token: LinkToken
    new_password: str = Field(alias="newPassword")


def refuse_own(password: str, user: User) -> None:
    """Raises ValidationFailed for a `newPassword` that is the user's own name or address."""
    if is_own(password, user.name, user.email):
        raise ValidationFailed(FieldError("newPassword", OWN))


def password_change(min_length: int) -> type[PasswordChange]:
    """Returns PasswordChange with a new password of at least `min_length` code points."""
    return create_model("PasswordChange", __base__=PasswordChange, new_password=_new_password(min_length))


def password_reset(min_length: int) -> type[PasswordReset]:
    """Returns PasswordReset with a new password of at least `min_length` code points."""
    return create_model("PasswordReset", __base__=PasswordReset, new_password=_new_password(min_length))


def _new_password(min_length: int) -> Any:
    return new_password(min_length), Field(alias="newPassword")
