"""Refusals in the form of OAuth (RFC 6749 section 5.2), for endpoints that OAuth describes."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from latchkey.http.envelope import json_response
from latchkey.refusal import Refusal, ValidationFailed

STATUS = {"invalid_request": 400, "invalid_client": 401, "insufficient_scope": 403}
"""The status of each error code."""


class OAuthError(BaseModel):
    """A refusal in the form of OAuth."""

    error: str = Field(examples=["invalid_request"])
    error_description: str = Field(examples=["token is required"])


def oauth_error(code: str, error: Refusal) -> OAuthError:
    """Returns the body of a refusal. Its text is the refusal's message, or names the bad fields."""
    bad = error.fields if isinstance(error, ValidationFailed) else ()
    return OAuthError(
        error=code, error_description="; ".join(f"{each.field} {each.message}" for each in bad) or error.message
    )


def oauth_refusal(code: str, error: Refusal) -> Response:
    """Returns the answer for a refusal."""
    return json_response(oauth_error(code, error).model_dump_json().encode(), STATUS[code])
