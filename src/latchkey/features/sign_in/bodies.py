"""The bodies of a sign-in: what comes, and what a native client gets."""

from pydantic import BaseModel, Field, StrictBool

from latchkey.hashing.password_fields import TypedPassword
from latchkey.sessions.native import NativeTokens
from latchkey.users.fields import TypedEmail
from latchkey.users.user import User


class LoginAttempt(BaseModel):
    """The body of POST /auth/login."""

    email: TypedEmail
    password: TypedPassword
    remember: StrictBool = Field(
        True, description="false: a browser forgets the session when it closes. Native clients keep tokens themselves."
    )


class NativeSignInTokens(NativeTokens):
    """The tokens of a sign-in. `deviceToken`, sent back as `X-Device-Token`, makes the device known at later ones."""

    device_token: str = Field(serialization_alias="deviceToken")


class NativeSignIn(BaseModel):
    """The `data` of a native client's login."""

    user: User
    tokens: NativeSignInTokens
