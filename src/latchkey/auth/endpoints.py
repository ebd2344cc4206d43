"""The /auth endpoints."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from latchkey.auth.errors import (
    CurrentPasswordIncorrect,
    EmailNotVerified,
    InvalidCredentials,
    RegistrationClosed,
    ResetTokenRefused,
    TooManyAttempts,
)
from latchkey.auth.known_devices import KnownDevices
from latchkey.auth.login import Login
from latchkey.auth.password_change import PasswordChanger
from latchkey.auth.recovery import Recovery
from latchkey.auth.registration import RegistrationDesk
from latchkey.auth.schemas import (
    CsrfToken,
    ForgottenPassword,
    LoginAttempt,
    PasswordBodies,
    PasswordChange,
    PasswordReset,
    Registration,
    SignedInUser,
)
from latchkey.http.edge.csrf import Csrf
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.envelope import json_response
from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import RepeatedCookie
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.errors import (
    AccessTokenInvalid,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenReused,
)
from latchkey.sessions.guard import Guards
from latchkey.sessions.revocation import Logout, PresentedSessions
from latchkey.sessions.rotation import Rotation
from latchkey.users.accounts import Accounts
from latchkey.users.errors import EmailTaken, UserNotFound
from latchkey.users.schemas import User

TAG = "Auth"


@dataclass(frozen=True, slots=True)
class AuthServices:
    """What the /auth endpoints work with."""

    csrf: Csrf
    cookies: SessionCookies
    devices: KnownDevices
    presented: PresentedSessions
    login: Login
    logout: Logout
    registration: RegistrationDesk
    rotation: Rotation
    passwords: PasswordChanger
    recovery: Recovery
    accounts: Accounts


def auth_endpoints(
    services: AuthServices, guards: Guards, bodies: PasswordBodies, *, registration_open: bool
) -> list[Endpoint[Any]]:
    """The eight endpoints of the original, and /auth/me."""
    cookies = services.cookies
    both = (cookies.access_name, cookies.refresh_name)

    async def csrf_token(call: Call[None]) -> Reply:
        token, cookie = services.csrf.issue(call.exchange)
        body = CsrfToken(csrf_token=token).model_dump_json(by_alias=True).encode()
        return Reply(response=json_response(body, 200), cookies=(cookie,) if cookie else ())

    async def register(call: Call[Registration]) -> Reply:
        user = await services.registration.register(call.body.name, call.body.email, call.body.password, call.origin)
        return Reply(SignedInUser(user=user))

    async def login(call: Call[LoginAttempt]) -> Reply:
        signed_in = await services.login.with_password(
            call.body.email,
            call.body.password,
            device=services.devices.recognise(call.exchange, call.body.email),
            replaces=await services.presented.named_by(call.exchange),
            origin=call.origin,
        )
        known = services.devices.remember(call.exchange, call.body.email)
        return Reply(SignedInUser(user=signed_in.user), cookies=(*cookies.carry(signed_in.pair), known))

    async def refresh(call: Call[None]) -> Reply:
        try:
            presented = call.exchange.cookie(cookies.refresh_name)
        except RepeatedCookie:
            raise RefreshTokenInvalid from None
        if presented is None:
            raise RefreshTokenMissing
        return Reply(cookies=cookies.carry(await services.rotation.refresh(presented, call.origin)))

    async def logout(call: Call[None]) -> Reply:
        if not services.presented.any_cookie(call.exchange):
            raise Unauthorized
        await services.logout.end(await services.presented.named_by(call.exchange), call.origin)
        return Reply(cookies=cookies.clear())

    async def change_password(call: Call[PasswordChange]) -> Reply:
        pair = await services.passwords.change(
            call.signed_in,
            call.body.current_password,
            call.body.new_password,
            known_device=partial(services.devices.recognise, call.exchange),
            origin=call.origin,
        )
        return Reply(cookies=cookies.carry(pair))

    async def forgot_password(call: Call[ForgottenPassword]) -> Reply:
        await services.recovery.ask(call.body.email, call.origin)
        return Reply()

    async def reset_password(call: Call[PasswordReset]) -> Reply:
        await services.recovery.reset(call.body.token, call.body.new_password, call.origin)
        return Reply()

    async def me(call: Call[None]) -> Reply:
        try:
            return Reply(await services.accounts.get(call.signed_in.user_id))
        except UserNotFound:
            # Deleted since the guard looked: the session is over, whoever asks about themselves is signed out.
            raise AccessTokenInvalid from None

    return [
        Endpoint(
            method="GET",
            path="/auth/csrf-token",
            handler=csrf_token,
            tag=TAG,
            summary="Get a CSRF token",
            description=(
                "Send it in `X-CSRF-Token` with every POST, PUT, PATCH and DELETE, together with the `_csrf` cookie"
                " that this answer sets. It stays good across login, refresh and logout."
            ),
            success=(Success(bare=CsrfToken),),
            cookies_out=(services.csrf.cookie_name,),
            touches_database=False,
        ),
        Endpoint(
            method="POST",
            path="/auth/register",
            handler=register,
            tag=TAG,
            summary="Make an account",
            description="Signs nobody in: log in next.",
            success=(Success(message="User registered", status=201, data=SignedInUser),),
            body=bodies.registration,
            refused=None if registration_open else RegistrationClosed,
            failures=(EmailTaken,),
        ),
        Endpoint(
            method="POST",
            path="/auth/login",
            handler=login,
            tag=TAG,
            summary="Sign in",
            description="Opens a session of its own; other devices stay signed in.",
            success=(Success(message="Login successful", data=SignedInUser),),
            body=LoginAttempt,
            failures=(InvalidCredentials, EmailNotVerified, TooManyAttempts),
            cookies_out=(*both, services.devices.cookie_name),
            needs_limiter=True,
        ),
        Endpoint(
            method="POST",
            path="/auth/refresh-token",
            handler=refresh,
            tag=TAG,
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
            tag=TAG,
            summary="Sign out",
            description="Either cookie is enough, and an expired access token too.",
            success=(Success(message="Logged out successfully"),),
            failures=(Unauthorized,),
            cookies_in=both,
            cookies_out=both,
        ),
        Endpoint(
            method="POST",
            path="/auth/change-password",
            handler=change_password,
            tag=TAG,
            summary="Change your password",
            description="Ends all your sessions and opens a new one for this browser.",
            success=(Success(message="Password changed successfully"),),
            guard=guards.signed_in,
            body=bodies.change,
            failures=(CurrentPasswordIncorrect, TooManyAttempts),
            cookies_out=both,
        ),
        Endpoint(
            method="POST",
            path="/auth/forgot-password",
            handler=forgot_password,
            tag=TAG,
            summary="Ask for a reset link by mail",
            description="Answers the same, in the same time, whether or not anybody has that address.",
            success=(Success(message="If email exists, reset link sent"),),
            body=ForgottenPassword,
        ),
        Endpoint(
            method="POST",
            path="/auth/reset-password",
            handler=reset_password,
            tag=TAG,
            summary="Set a new password with the token of a reset link",
            description="The token works once, for 15 minutes. Ends all sessions of the user.",
            success=(Success(message="Password reset successful"),),
            body=bodies.reset,
            failures=(ResetTokenRefused,),
        ),
        Endpoint(
            method="GET",
            path="/auth/me",
            handler=me,
            tag=TAG,
            summary="Who is signed in",
            success=(Success(data=User),),
            guard=guards.signed_in,
        ),
    ]
