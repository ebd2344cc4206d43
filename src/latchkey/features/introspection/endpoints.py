"""POST /oauth/introspect."""

from typing import Any

from latchkey.features.api_keys.errors import InsufficientScope, InvalidApiKey
from latchkey.features.introspection.bodies import ActiveToken, InactiveToken, IntrospectionForm
from latchkey.features.introspection.introspection import Introspection
from latchkey.features.introspection.scopes import IntrospectionScope
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.envelope import json_response
from latchkey.http.errors import MalformedForm, NotForm, Unauthorized
from latchkey.http.no_query import NoQuery
from latchkey.refusal import ValidationFailed


def introspection_endpoint(introspection: Introspection, guard: Guard) -> Endpoint[Any]:
    """Returns the endpoint. `guard` admits API keys with the scope `tokens:introspect`."""

    async def introspect_token(call: Call[IntrospectionForm]) -> Reply:
        found = await introspection.describe(call.body.token)
        return Reply(response=json_response(found.model_dump_json(exclude_none=True).encode(), 200))

    return Endpoint(
        method="POST",
        path="/oauth/introspect",
        handler=introspect_token,
        tag="Services",
        summary="Ask whether an access token is good now",
        description=(
            "RFC 7662. Needs an API key with the scope"
            f" `{IntrospectionScope.INTROSPECT}`. A token is active if it verifies, its session is live, and its user is"
            " neither deleted nor suspended; a refresh token never is. Refusals of key and form have the form of OAuth."
        ),
        success=(Success(bare=ActiveToken), Success(bare=InactiveToken)),
        guard=guard,
        query=NoQuery,
        body=IntrospectionForm,
        takes_form=True,
        oauth_errors={
            ValidationFailed: "invalid_request",
            MalformedForm: "invalid_request",
            NotForm: "invalid_request",
            Unauthorized: "invalid_client",
            InvalidApiKey: "invalid_client",
            InsufficientScope: "insufficient_scope",
        },
    )
