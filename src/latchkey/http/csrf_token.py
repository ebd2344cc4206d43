"""The endpoint that issues a CSRF token."""

from typing import Any

from pydantic import BaseModel, Field

from latchkey.http.edge.csrf import Csrf
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.envelope import json_response


class CsrfToken(BaseModel):
    """The only JSON answer of the API without an envelope."""

    csrf_token: str = Field(serialization_alias="csrfToken")


def csrf_token_endpoint(csrf: Csrf) -> Endpoint[Any]:
    """Returns the endpoint GET /auth/csrf-token."""

    async def csrf_token(call: Call[None]) -> Reply:
        token, cookie = csrf.issue(call.exchange)
        body = CsrfToken(csrf_token=token).model_dump_json(by_alias=True).encode()
        return Reply(response=json_response(body, 200), cookies=(cookie,) if cookie else ())

    return Endpoint(
        method="GET",
        path="/auth/csrf-token",
        handler=csrf_token,
        tag="Auth",
        summary="Get a CSRF token",
        description=(
            "Send it in `X-CSRF-Token` with every POST, PUT, PATCH and DELETE, together with the `_csrf` cookie"
            " that this answer sets. It stays good across login, refresh and logout."
        ),
        success=(Success(bare=CsrfToken),),
        cookies_out=(csrf.cookie_name,),
        touches_database=False,
    )
