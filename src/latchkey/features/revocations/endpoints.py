"""GET /revocations."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from latchkey.features.revocations.passes import IDS_MAX, Passes
from latchkey.features.revocations.query import RevocationsQuery, cursor_text
from latchkey.features.revocations.scopes import RevocationsScope
from latchkey.features.revocations.waiting import Waiting
from latchkey.http.authenticate import Guard
from latchkey.http.endpoint import Call, Endpoint, Reply, Success


class Revocations(BaseModel):
    """The ids of ended sessions: those that the claim `sid` of access tokens names."""

    sessions: list[UUID] = Field(max_length=IDS_MAX)
    cursor: str = Field(description="send it as `since` to get what ends after this answer")
    more: bool = Field(description="more is there already: ask again at once")


def revocations_endpoint(passes: Passes, waiting: Waiting, guard: Guard) -> Endpoint[Any]:
    """Returns the endpoint. `guard` admits API keys with the scope `revocations:read`."""

    async def list_revocations(call: Call[None]) -> Reply:
        since, wait = call.query.since, call.query.wait
        if since is None:
            page = await passes.begin()
        else:
            page = await waiting.read(
                passes.read, since, seconds=wait, key_id=call.api_key.id, client_left=call.exchange.disconnected
            )
        return Reply(Revocations(sessions=page.session_ids, cursor=cursor_text(page.cursor), more=page.more))

    return Endpoint(
        method="GET",
        path="/revocations",
        handler=list_revocations,
        tag="Services",
        summary="List sessions that have ended",
        description=(
            "For apps that verify access tokens themselves: refuse tokens whose `sid` is in the list. Needs an API key"
            f" with the scope `{RevocationsScope.READ}`. Without `since`: the sessions that ended in the last 61 minutes,"
            " longer than any access token lives. With `since` and `wait`, the answer comes when a session ends. An id"
            " may come more than once; none is left out."
        ),
        success=(Success(data=Revocations),),
        guard=guard,
        query=RevocationsQuery,
    )
