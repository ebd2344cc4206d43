"""What native clients send and get instead of cookies."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from latchkey.http.fields import given_text
from latchkey.sessions.tokens import TokenPair

NATIVE_ONLY = " Native clients (`X-Client-Type: native`) get the tokens in `data` and no cookies."
"""The sentence for the document of an endpoint that sets token cookies."""


class NativeTokens(BaseModel):
    """The tokens of a native client's session. `expiresIn` and `refreshExpiresIn` are in seconds."""

    access_token: str = Field(serialization_alias="accessToken")
    refresh_token: str = Field(serialization_alias="refreshToken")
    token_type: str = Field("Bearer", serialization_alias="tokenType")
    expires_in: int = Field(serialization_alias="expiresIn", examples=[300])
    refresh_expires_in: int = Field(serialization_alias="refreshExpiresIn", examples=[2_592_000])


class NativeSession(BaseModel):
    """The `data` of an answer that gives a native client new tokens."""

    tokens: NativeTokens


class NativeRefresh(BaseModel):
    """A refresh token in a body. Only native clients may send it there."""

    refresh_token: Annotated[str, BeforeValidator(given_text)] | None = Field(None, alias="refreshToken")


def native_tokens(pair: TokenPair) -> NativeTokens:
    """Returns a pair as a native client gets it."""
    refresh = pair.refresh
    return NativeTokens(
        access_token=pair.access,
        refresh_token=refresh.token,
        expires_in=pair.access_expires_at - refresh.issued_at,
        refresh_expires_in=refresh.expires_at - refresh.issued_at,
    )
