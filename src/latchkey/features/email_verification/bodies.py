"""Bodies of the e-mail verification endpoints."""

from pydantic import BaseModel

from latchkey.mail.tokens import LinkToken
from latchkey.users.fields import TypedEmail


class EmailLinkRequest(BaseModel):
    """The body of POST /auth/verify-email/request."""

    email: TypedEmail


class EmailToken(BaseModel):
    """The body of POST /auth/verify-email."""

    token: LinkToken
