"""The endpoint that registers an account."""

from typing import Any

from latchkey.features.registration import bodies
from latchkey.features.registration.bodies import Registration
from latchkey.features.registration.errors import RegistrationClosed
from latchkey.features.registration.registration import AccountCreation
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.users.errors import EmailTaken
from latchkey.users.user import SignedInUser


def register_endpoint(creation: AccountCreation, *, is_open: bool, password_min: int, name_min: int) -> Endpoint[Any]:
    """Returns the endpoint POST /auth/register."""

    async def register(call: Call[Registration]) -> Reply:
        user = await creation.register(call.body.name, call.body.email, call.body.password, call.origin)
        return Reply(SignedInUser(user=user))

    return Endpoint(
        method="POST",
        path="/auth/register",
        handler=register,
        tag="Auth",
        summary="Create an account",
        description="Opens no session: log in next.",
        success=(Success(message="User registered", status=201, data=SignedInUser),),
        body=bodies.registration(password_min=password_min, name_min=name_min),
        refused=None if is_open else RegistrationClosed,
        failures=(EmailTaken,),
    )
