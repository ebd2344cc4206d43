"""The endpoints that use token cookies: refresh and logout."""

from typing import Any

from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import RepeatedCookie
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import RefreshTokenInvalid, RefreshTokenMissing, RefreshTokenReused
from latchkey.sessions.revocation import Logout, PresentedSessions
from latchkey.sessions.rotation import Rotation


def token_endpoints(
    rotation: Rotation, logout_service: Logout, presented_sessions: PresentedSessions, cookies: SessionCookies
) -> list[Endpoint[Any]]:
    """Returns the endpoints of refresh and logout."""
    both = (cookies.access_name, cookies.refresh_name)

    async def refresh(call: Call[None]) -> Reply:
        try:
            presented = presented_sessions.refresh_token(call.exchange)
        except RepeatedCookie:
            raise RefreshTokenInvalid from None
        if presented is None:
            raise RefreshTokenMissing
        return Reply(cookies=cookies.carry(await rotation.refresh(presented, call.origin)))

    async def logout(call: Call[None]) -> Reply:
        if not presented_sessions.any_cookie(call.exchange):
            raise Unauthorized
        await logout_service.end(await presented_sessions.named_by(call.exchange), call.origin)
        return Reply(cookies=cookies.clear())

    return [
        Endpoint(
            method="POST",
            path="/auth/refresh-token",
            handler=refresh,
            tag="Auth",
            summary="Get new tokens",
            description=(
                "Rotates both cookies. A refresh token works once: using it again, later than the operator's leeway"
                " (none by default), is taken for theft and ends all sessions of the user."
            ),
            success=(Success(message="Token refreshed"),),
            failures=(RefreshTokenMissing, RefreshTokenInvalid, RefreshTokenReused),
            cookies_in=(cookies.refresh_name,),
            cookies_out=both,
        ),
        Endpoint(
            method="POST",
            path="/auth/logout",
            handler=logout,
            tag="Auth",
            summary="Sign out",
            description="Either cookie is enough, and an expired access token too.",
            success=(Success(message="Logged out successfully"),),
            failures=(Unauthorized,),
            cookies_in=both,
            cookies_out=both,
        ),
    ]
