"""Bodies of the endpoints that verify an address."""

from pydantic import BaseModel

from latchkey.mail.tokens import LinkToken
from latchkey.users.fields import TypedEmail


class EmailLinkRequest(BaseModel):
    """POST /auth/verify-email/request."""

    email: TypedEmail


class EmailToken(BaseModel):
    """POST /auth/verify-email."""

    token: LinkToken
