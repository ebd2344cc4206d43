"""POST /admin/users/:id/impersonate."""

from typing import Any

from pydantic import BaseModel

from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.actor import actor_of
from latchkey.features.admin_access.errors import CannotChangeSelf
from latchkey.features.impersonation.service import Impersonation
from latchkey.features.user_administration.bodies import Reason
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Forbidden
from latchkey.http.no_query import NoQuery
from latchkey.http.request_kind import Transport
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.presented import PresentedSessions
from latchkey.users.errors import UserNotFound
from latchkey.users.user import SignedInUser, UserPath


class ImpersonationRequest(BaseModel):
    """The body of POST /admin/users/:id/impersonate. The audit log keeps the reason."""

    reason: Reason


def impersonate_endpoint(
    impersonation: Impersonation, presented: PresentedSessions, cookies: SessionCookies, access: AdminAccess
) -> Endpoint[Any]:
    """Returns the endpoint. It admits admins who have just signed in, by cookies."""

    async def impersonate_user(call: Call[ImpersonationRequest]) -> Reply:
        # A bearer token has no cookies that the new session could replace.
        if call.signed_in.transport is not Transport.COOKIE:
            raise Forbidden
        replaces = await presented.proven_by(call.exchange)
        user, pair = await impersonation.begin(call.params.id, call.body.reason, actor_of(call), replaces)
        return Reply(SignedInUser(user=user), cookies=(*cookies.clear_twins(), *cookies.carry(pair)))

    return Endpoint(
        method="POST",
        path="/admin/users/{id}/impersonate",
        handler=impersonate_user,
        tag="Administration",
        summary="Act for a user",
        description=(
            "Ends your own session, and opens one of the user in its place, for 30 minutes. In it you can look, sign out"
            " and refresh, but change nothing. Its access tokens name you as `act`, and the user sees the session. Not"
            " for admins and suspended users."
        ),
        success=(Success(message="Impersonating", data=SignedInUser),),
        guard=access.session_guard(recent=True),
        params=UserPath,
        query=NoQuery,
        body=ImpersonationRequest,
        failures=(Forbidden, UserNotFound, CannotChangeSelf),
        cookies_out=(cookies.access_name, cookies.refresh_name),
    )
