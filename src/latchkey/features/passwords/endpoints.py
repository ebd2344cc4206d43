"""Endpoints that change and recover a password."""

from functools import partial
from typing import Any

from latchkey.features.passwords.bodies import (
    ForgottenPassword,
    PasswordChange,
    PasswordReset,
    password_change,
    password_reset,
)
from latchkey.features.passwords.change import PasswordChanger
from latchkey.features.passwords.errors import CurrentPasswordIncorrect, ResetTokenRefused
from latchkey.features.passwords.recovery import Recovery
from latchkey.features.sign_in.errors import TooManyAttempts
from latchkey.features.sign_in.known_devices import KnownDevices
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.request_kind import Transport
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.native import NATIVE_ONLY, NativeSession, native_tokens
from latchkey.sessions.presented import PresentedSessions

TAG = "Auth"
CHANGED = "Password changed successfully"
NATIVELY = Success(message=CHANGED, data=NativeSession)


def password_endpoints(
    changer: PasswordChanger,
    recovery: Recovery,
    devices: KnownDevices,
    presented_sessions: PresentedSessions,
    cookies: SessionCookies,
    signed_in: Guard,
    *,
    min_length: int,
) -> list[Endpoint[Any]]:
    """Returns the endpoints that change a password, mail a reset link and reset a password."""

    async def change_password(call: Call[PasswordChange]) -> Reply:
        pair = await changer.change(
            call.signed_in,
            call.body.current_password,
            call.body.new_password,
            recognise_device=partial(devices.recognise, call.exchange),
            remember=presented_sessions.remembers(call.exchange),
            origin=call.origin,
        )
        if pair.refresh.transport is Transport.BEARER:
            return Reply(NativeSession(tokens=native_tokens(pair)), success=NATIVELY)
        return Reply(cookies=cookies.carry(pair))

    async def forgot_password(call: Call[ForgottenPassword]) -> Reply:
        await recovery.ask(call.body.email, call.origin)
        return Reply()

    async def reset_password(call: Call[PasswordReset]) -> Reply:
        await recovery.reset(call.body.token, call.body.new_password, call.origin)
        return Reply()

    return [
        Endpoint(
            method="POST",
            path="/auth/change-password",
            handler=change_password,
            tag=TAG,
            summary="Change your password",
            description="Ends all your sessions and opens a new one for this client." + NATIVE_ONLY,
            success=(Success(message=CHANGED), NATIVELY),
            guard=signed_in,
            body=password_change(min_length),
            failures=(CurrentPasswordIncorrect, TooManyAttempts),
            cookies_out=(cookies.access_name, cookies.refresh_name),
        ),
        Endpoint(
            method="POST",
            path="/auth/forgot-password",
            handler=forgot_password,
            tag=TAG,
            summary="Ask for a reset link by mail",
            description="The answer and its timing are the same whether or not an account has that address.",
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
            body=password_reset(min_length),
            failures=(ResetTokenRefused,),
        ),
    ]
