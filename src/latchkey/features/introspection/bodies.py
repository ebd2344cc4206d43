"""The form and the answers of introspection. The names are those of RFC 7662 section 2.2 and RFC 8693 section 4.1."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class IntrospectionForm(BaseModel):
    """The form of POST /oauth/introspect. Other fields, such as `token_type_hint`, are ignored."""

    token: str = Field(min_length=1, description="An access token.")


class Actor(BaseModel):
    """The administrator who acts for the user."""

    sub: str = Field(examples=["7"])


class ActiveToken(BaseModel):
    """A good access token: what it says. `iss` and `aud` are absent in a token that is signed with JWT_ACCESS_SECRET."""

    active: Literal[True] = True
    sub: str = Field(examples=["1"], description="the id of the user")
    sid: UUID = Field(description="the id of the session")
    jti: str
    iss: str | None = Field(None, examples=["https://accounts.example.com"])
    aud: str | None = Field(None, examples=["https://accounts.example.com"])
    exp: int = Field(description="seconds since the epoch")
    iat: int = Field(description="seconds since the epoch")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the type of token
    role: str | None = Field(None, examples=["user"])
    amr: tuple[str, ...] = Field(examples=[["pwd"]], description="how the user signed in (RFC 8176)")
    auth_time: int | None = Field(None, description="when the user last signed in or confirmed that it is them")
    act: Actor | None = None


class InactiveToken(BaseModel):
    """Anything else: expired, ended, of a deleted or suspended user, a refresh token, or no token at all."""

    active: Literal[False] = False
