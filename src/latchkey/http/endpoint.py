"""An endpoint, declared once: route, guard, validation, answer and its place in the OpenAPI document."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from starlette.responses import Response

from latchkey.http import errors
from latchkey.http.envelope import PageMeta, json_response, success
from latchkey.http.exchange import Exchange, Origin, answer_header
from latchkey.http.validation import parse_body, parse_id, parse_query, parse_session_id

Body = TypeVar("Body")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: the user and the session that an access token proves."""

    user_id: int
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call: finds the principal of a request or raises one of `failures`.

    `scheme` is the name of its security scheme in the OpenAPI document.
    """

    find_principal: Callable[[Exchange], Awaitable[Principal]]
    scheme: str
    failures: tuple[type[errors.ApiError], ...]


@dataclass(slots=True)
class Call(Generic[Body]):
    """What a handler is given: the checked parts of one request.

    `user_id` is the path's `:id`, `session_id` its `:sessionId`; `body` and `query` are instances of the declared
    models.
    """

    exchange: Exchange
    body: Body
    principal: Principal | None = None
    user_id: int | None = None
    session_id: UUID | None = None
    query: Any = None

    @property
    def origin(self) -> Origin:
        """Where the request came from, for the audit log."""
        return self.exchange.origin()

    @property
    def signed_in(self) -> Principal:
        """The principal of an endpoint that has a guard."""
        assert self.principal is not None, "only endpoints with a guard have a principal"
        return self.principal

    @property
    def path_id(self) -> int:
        """The `:id` of an endpoint whose path has one."""
        assert self.user_id is not None, "only paths with {id} have one"
        return self.user_id

    @property
    def path_session_id(self) -> UUID:
        """The `:sessionId` of an endpoint whose path has one."""
        assert self.session_id is not None, "only paths with {sessionId} have one"
        return self.session_id


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler returns; the declaration adds status, message and envelope. `cookies` are Set-Cookie values.

    A `response` replaces the envelope: for pages, assets and the few bare documents.
    """

    data: Any = None
    meta: PageMeta | None = None
    cookies: tuple[str, ...] = ()
    response: Response | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Body]):
    """One method of one path.

    `data` is the type of the envelope's `data` (None: null); `failures` are the cases that the handler itself can
    raise, the others follow from the declaration. `cookies_in` names cookies that the handler reads itself,
    `cookies_out` those that a success sets, for the document. `counted` is off for what the rate limit leaves
    out, `documented` for pages and assets. `needs_limiter`: refuse with 503 while the rate limit cannot count.
    `refused`: what everybody gets who may ask at all, since the settings do not offer it.
    """

    method: str
    path: str
    handler: Callable[[Call[Body]], Awaitable[Reply]]
    summary: str
    tag: str = ""
    description: str = ""
    message: str = "Success"
    status: int = 200
    guard: Guard | None = None
    self_only: bool = False
    refused: type[errors.ApiError] | None = None
    body: type[Body] | None = None
    query: type[BaseModel] | None = None
    data: Any = None
    meta: type[PageMeta] | None = None
    failures: tuple[type[errors.ApiError], ...] = ()
    cookies_in: tuple[str, ...] = ()
    cookies_out: tuple[str, ...] = ()
    bare: type[BaseModel] | None = None
    counted: bool = True
    documented: bool = True
    touches_database: bool = True
    needs_limiter: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def checks_csrf(self) -> bool:
        """Every unsafe method does, at the edge; there is no way to leave one out (contract, section 7)."""
        return self.method not in SAFE_METHODS

    async def answer(self, exchange: Exchange, parameters: dict[str, str]) -> Response:
        """Runs the request in the contract's order: who (401), path (400, 404), self (403), body (400), handler."""
        if self.needs_limiter and exchange.limiter_failed:
            raise errors.ServiceUnavailable
        principal = await self.guard.find_principal(exchange) if self.guard else None
        if self.refused is not None:
            raise self.refused
        user_id = parse_id(parameters["id"]) if "id" in parameters else None
        session_id = parse_session_id(parameters["sessionId"]) if "sessionId" in parameters else None
        if self.self_only and (principal is None or principal.user_id != user_id):
            raise errors.Forbidden
        query = parse_query(self.query, exchange) if self.query else None
        body: Any = parse_body(self.body, exchange) if self.body else None
        reply = await self.handler(Call(exchange, body, principal, user_id, session_id, query))
        if reply.response is not None:
            response = reply.response
        else:
            response = json_response(success(self.message, reply.data, reply.meta), self.status)
        response.raw_headers.extend(answer_header("set-cookie", cookie) for cookie in reply.cookies)
        return response
