"""What a declaration of an endpoint makes of itself: its answers, and its place in the document."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.exchange import Exchange
from latchkey.http.openapi import openapi_document
from latchkey.http.routing import RouteTable


class Thing(BaseModel):
    name: str


class ThingPath(BaseModel):
    number: Annotated[int, Field(alias="thingNumber")]


MADE = Success(message="Made", status=201, data=Thing)
FOUND = Success(message="Found", data=Thing)
QUEUED = Success(message="Queued")


async def put_thing(call: Call[None]) -> Reply:
    number = call.params.number
    if number == 1:
        return Reply(Thing(name="old"))
    return Reply(success=QUEUED) if number == 2 else Reply(Thing(name="new"), success=MADE)


ENDPOINT: Endpoint[Any] = Endpoint(
    method="PUT",
    path="/things/{thingNumber}",
    handler=put_thing,
    summary="Put a thing",
    params=ThingPath,
    success=(FOUND, QUEUED, MADE),
)


async def answer(path: str) -> tuple[int, bytes]:
    match = RouteTable([ENDPOINT]).find(path, path.encode())
    assert match is not None

    async def receive() -> Any:
        raise AssertionError("there is no body")

    exchange = Exchange({"type": "http", "method": "PUT", "path": path, "headers": []}, receive, "request")
    response = await ENDPOINT.answer(exchange, match.parameters)
    return response.status_code, bytes(response.body)


async def test_a_handler_chooses_among_the_declared_answers() -> None:
    assert await answer("/things/1") == (200, b'{"success":true,"message":"Found","data":{"name":"old"}}')
    assert await answer("/things/2") == (200, b'{"success":true,"message":"Queued","data":null}')
    assert await answer("/things/3") == (201, b'{"success":true,"message":"Made","data":{"name":"new"}}')


def test_the_document_has_every_answer_and_the_path_parameter() -> None:
    document = openapi_document([ENDPOINT], version="1", root_path="", access_cookie="a", refresh_cookie="r")
    operation = document["paths"]["/things/{thingNumber}"]["put"]
    assert operation["parameters"][0]["name"] == "thingNumber"
    assert operation["parameters"][0]["required"] is True
    answers = operation["responses"]
    assert answers["201"]["description"] == "Made"
    assert answers["200"]["description"] == "Found; Queued"
    both = answers["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert [schema["allOf"][1]["properties"]["message"]["const"] for schema in both] == ["Found", "Queued"]
