"""GET /auth/check."""

from typing import Any

from latchkey.features.forward_auth.check import ForwardAuth
from latchkey.features.forward_auth.errors import CheckRefused, OriginRefused, RoleRequired, SignInFirst
from latchkey.features.forward_auth.headers import HEADERS, describe
from latchkey.features.forward_auth.query import CheckQuery
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.sessions.errors import ReauthenticationRequired


def check_endpoint(forward_auth: ForwardAuth, guard: Guard) -> Endpoint[Any]:
    """Returns the endpoint. `guard` admits whoever is signed in."""

    async def check(call: Call[None]) -> Reply:
        return Reply(response=describe(*await forward_auth.admit(call.exchange, call.signed_in, call.query)))

    return Endpoint(
        method="GET",
        path="/auth/check",
        handler=check,
        tag="Services",
        summary="May this request pass? For reverse proxies",
        description=(
            "A reverse proxy asks it about each request to an app, with the request's headers, and passes the answer's"
            " headers on to the app. Answers have no body. From a proxy in TRUSTED_PROXIES, X-Forwarded headers are"
            " believed and checks are not counted by the rate limit. A request by cookies whose `X-Forwarded-Method` is"
            " not GET, HEAD or OPTIONS needs an Origin of the app's own, of Latchkey or in CORS_ORIGINS."
        ),
        success=(Success(message="The request may pass", status=204, empty=True, headers=HEADERS),),
        guard=guard,
        query=CheckQuery,
        failures=(SignInFirst, CheckRefused, OriginRefused, RoleRequired, ReauthenticationRequired),
        for_proxies=True,
        refuse=forward_auth.refuse,
    )
