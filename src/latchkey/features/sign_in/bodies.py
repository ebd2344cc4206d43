"""The body of a sign-in."""

from pydantic import BaseModel

from latchkey.hashing.password_fields import TypedPassword
from latchkey.users.fields import TypedEmail


class LoginAttempt(BaseModel):
    """The body of POST /auth/login."""

    email: TypedEmail
    password: TypedPassword
