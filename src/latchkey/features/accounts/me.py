"""GET /auth/me: the signed-in user."""

from typing import Any

from latchkey.features.accounts.service import Accounts
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.sessions.errors import AccessTokenInvalid
from latchkey.users.errors import UserNotFound
from latchkey.users.user import User


def me_endpoint(accounts: Accounts, signed_in: Guard) -> Endpoint[Any]:
    """Returns the endpoint that answers with the caller's own account."""

    async def me(call: Call[None]) -> Reply:
        try:
            return Reply(await accounts.get(call.signed_in.user_id))
        except UserNotFound:
            # The account was deleted after the guard ran, so its session has ended.
            raise AccessTokenInvalid from None

    return Endpoint(
        method="GET",
        path="/auth/me",
        handler=me,
        tag="Auth",
        summary="Who is signed in",
        success=(Success(data=User),),
        guard=signed_in,
    )
