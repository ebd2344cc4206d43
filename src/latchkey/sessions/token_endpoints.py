"""The endpoints that use the tokens of a session: refresh and logout."""

from typing import Any

from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import Exchange, RepeatedCookie
from latchkey.http.request_kind import Transport
from latchkey.http.validation import parse_body
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import RefreshTokenInvalid, RefreshTokenMissing, RefreshTokenReused
from latchkey.sessions.logout import Logout
from latchkey.sessions.native import NativeRefresh, NativeSession, native_tokens
from latchkey.sessions.presented import PresentedSessions
from latchkey.sessions.rotation import Rotation

REFRESHED = "Token refreshed"
NATIVELY = Success(message=REFRESHED, data=NativeSession)


def token_endpoints(
    rotation: Rotation, logout_service: Logout, presented_sessions: PresentedSessions, cookies: SessionCookies
) -> list[Endpoint[Any]]:
    """Returns the endpoints of refresh and logout."""
    both = (cookies.access_name, cookies.refresh_name)

    def presented_refresh(exchange: Exchange) -> str | None:
        if exchange.kind.transport is Transport.BEARER:
            return _native_refresh(exchange)
        try:
            return presented_sessions.refresh_cookie(exchange)
        except RepeatedCookie:
            raise RefreshTokenInvalid from None

    async def refresh(call: Call[None]) -> Reply:
        presented = presented_refresh(call.exchange)
        if presented is None:
            raise RefreshTokenMissing
        pair = await rotation.refresh(presented, call.exchange.kind.transport, call.origin)
        if pair.refresh.transport is Transport.BEARER:
            return Reply(NativeSession(tokens=native_tokens(pair)), success=NATIVELY)
        return Reply(cookies=cookies.carry(pair))

    async def logout(call: Call[None]) -> Reply:
        native = _native_refresh(call.exchange) if call.exchange.kind.transport is Transport.BEARER else None
        if not (native or call.exchange.bearer_token() or presented_sessions.any_cookie(call.exchange)):
            raise Unauthorized
        await logout_service.end(await presented_sessions.named_by(call.exchange, native), call.origin)
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
                " (none by default), is taken for theft and ends all sessions of the user. Native clients"
                " (`X-Client-Type: native`) send `refreshToken` in the body and get both tokens in `data`."
            ),
            success=(Success(message=REFRESHED), NATIVELY),
            uses_session=True,
            native_body=NativeRefresh,
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
            description=(
                "Either token is enough, and an expired access token too. Native clients send a bearer token, or"
                " `refreshToken` in the body, or both."
            ),
            success=(Success(message="Logged out successfully"),),
            uses_session=True,
            native_body=NativeRefresh,
            failures=(Unauthorized,),
            cookies_in=both,
            cookies_out=both,
        ),
    ]


def _native_refresh(exchange: Exchange) -> str | None:
    """Returns the refresh token of a body, or None. Raises ValidationFailed, NotJson or MalformedBody."""
    return parse_body(NativeRefresh, exchange).refresh_token if exchange.body else None
