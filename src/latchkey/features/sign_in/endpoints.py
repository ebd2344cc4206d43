"""The endpoint that signs in."""

from functools import partial
from typing import Any

from latchkey.features.sign_in.bodies import LoginAttempt
from latchkey.features.sign_in.door import Visit
from latchkey.features.sign_in.errors import InvalidCredentials, TooManyAttempts
from latchkey.features.sign_in.known_devices import KnownDevices
from latchkey.features.sign_in.password import PasswordSignIn
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.revocation import PresentedSessions
from latchkey.users.user import SignedInUser


def login_endpoint(
    sign_in: PasswordSignIn, devices: KnownDevices, presented_sessions: PresentedSessions, cookies: SessionCookies
) -> Endpoint[Any]:
    """Returns the endpoint POST /auth/login."""

    async def login(call: Call[LoginAttempt]) -> Reply:
        visit = Visit(
            known_device=partial(devices.recognise, call.exchange, call.body.email),
            replaces=await presented_sessions.proven_by(call.exchange),
            origin=call.origin,
        )
        signed_in = await sign_in.sign_in(call.body.email, call.body.password, visit)
        known_device = devices.remember(call.exchange, call.body.email, signed_in.generation)
        return Reply(
            SignedInUser(user=signed_in.user),
            cookies=(*cookies.clear_twins(), *cookies.carry(signed_in.pair), known_device),
        )

    return Endpoint(
        method="POST",
        path="/auth/login",
        handler=login,
        tag="Auth",
        summary="Sign in",
        description="Opens a new session. Other devices stay signed in.",
        success=(Success(message="Login successful", data=SignedInUser),),
        body=LoginAttempt,
        failures=(InvalidCredentials, TooManyAttempts, *(step.refusal for step in sign_in.door.steps)),
        cookies_out=(cookies.access_name, cookies.refresh_name, devices.cookie_name),
        needs_limiter=True,
    )
