"""The endpoint that signs in."""

from functools import partial
from typing import Any

from latchkey.features.sign_in.bodies import LoginAttempt, NativeSignIn, NativeSignInTokens
from latchkey.features.sign_in.door import Visit
from latchkey.features.sign_in.errors import AccountSuspended, InvalidCredentials, TooManyAttempts
from latchkey.features.sign_in.known_devices import KnownDevices
from latchkey.features.sign_in.password import PasswordSignIn
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.request_kind import Transport
from latchkey.sessions.carriage import Carriage
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.native import NATIVE_ONLY, native_tokens
from latchkey.sessions.presented import PresentedSessions
from latchkey.users.user import SignedInUser

SIGNED_IN = "Login successful"
NATIVELY = Success(message=SIGNED_IN, data=NativeSignIn)


def login_endpoint(
    sign_in: PasswordSignIn, devices: KnownDevices, presented_sessions: PresentedSessions, cookies: SessionCookies
) -> Endpoint[Any]:
    """Returns the endpoint POST /auth/login."""

    async def login(call: Call[LoginAttempt]) -> Reply:
        transport = call.exchange.kind.transport
        visit = Visit(
            recognise_device=partial(devices.recognise, call.exchange, call.body.email),
            replaces=await presented_sessions.proven_by(call.exchange),
            carriage=Carriage(transport, call.body.remember),
            origin=call.origin,
        )
        signed_in = await sign_in.sign_in(call.body.email, call.body.password, visit)
        device = devices.remember(call.exchange, call.body.email, signed_in.generation)
        if transport is Transport.BEARER:
            tokens = NativeSignInTokens(**dict(native_tokens(signed_in.pair)), device_token=device)
            return Reply(NativeSignIn(user=signed_in.user, tokens=tokens), success=NATIVELY)
        return Reply(
            SignedInUser(user=signed_in.user),
            cookies=(*cookies.clear_twins(), *cookies.carry(signed_in.pair), devices.cookie(device)),
        )

    return Endpoint(
        method="POST",
        path="/auth/login",
        handler=login,
        tag="Auth",
        summary="Sign in",
        description="Opens a new session. Other devices stay signed in." + NATIVE_ONLY,
        success=(Success(message=SIGNED_IN, data=SignedInUser), NATIVELY),
        body=LoginAttempt,
        failures=(
            InvalidCredentials,
            TooManyAttempts,
            AccountSuspended,
            *(step.refusal for step in sign_in.door.steps),
        ),
        cookies_out=(cookies.access_name, cookies.refresh_name, devices.cookie_name),
        needs_limiter=True,
    )
