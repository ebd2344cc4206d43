"""An endpoint, declared once: route, guard, validation, answer and its entry in the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from latchkey.http.authenticate import ApiKey, Guard, Principal
from latchkey.http.envelope import json_response, success
from latchkey.http.errors import Forbidden
from latchkey.http.exchange import Exchange, answer_header
from latchkey.http.oauth import oauth_refusal
from latchkey.http.request_kind import RequestKind
from latchkey.http.validation import parse_body, parse_form, parse_params, parse_query
from latchkey.origin import Origin
from latchkey.refusal import Refusal, ServiceUnavailable

Body = TypeVar("Body")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PASSED_ON = frozenset({401, 403, 429, 500, 503})
"""Statuses of the refusals that a proxy gets. 429: it is not in TRUSTED_PROXIES. 500: a bug."""


@dataclass(slots=True)
class Call(Generic[Body]):
    """The validated parts of a request, which a handler gets.

    `params`, `query` and `body` are instances of the declared models.
    """

    exchange: Exchange
    body: Body
    principal: Principal | ApiKey | None = None
    params: Any = None
    query: Any = None

    @property
    def origin(self) -> Origin:
        """Returns the request's origin, for the audit log."""
        return self.exchange.origin()

    @property
    def signed_in(self) -> Principal:
        """Returns the user and their session. For endpoints with a guard that admits sessions only."""
        assert isinstance(self.principal, Principal), "the guard admits sessions only"
        return self.principal

    @property
    def api_key(self) -> ApiKey:
        """Returns the API key. For endpoints with a guard that admits keys only."""
        assert isinstance(self.principal, ApiKey), "the guard admits API keys only"
        return self.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """An answer that an endpoint may give.

    `data` is the type of the envelope's `data` (None: null), `meta` that of its `meta`. `bare` is the model of an
    answer without an envelope. `empty`: it has no body. `media_types` are those of a stream that is no JSON document.
    `headers` are those that the handler sets, with their meaning. `schema_name` names the schema in the OpenAPI
    document.
    """

    message: str = "Success"
    status: int = 200
    data: Any = None
    meta: type[BaseModel] | None = None
    bare: type[BaseModel] | None = None
    empty: bool = False
    media_types: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    schema_name: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler returns. The declaration adds status, message and envelope. `cookies` are Set-Cookie values.

    `success` selects one of the declared answers; None: the first. A `response` replaces the envelope, for pages,
    assets, bare documents and answers without a body.
    """

    data: Any = None
    meta: BaseModel | None = None
    cookies: tuple[str, ...] = ()
    success: Success | None = None
    response: Response | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Body]):
    """One method of one path.

    `path` has the fields of `params` in braces, by their aliases. `self_only` returns, from `params`, the id of the
    only user who may call. `uses_session`: asks for a session's tokens without a guard. `native_body` is what requests
    without cookies may send; the handler reads it. `success` are the possible answers and `failures` the refusals that
    the handler raises; other refusals follow from the declaration. `cookies_in` are the cookies that the handler reads,
    `cookies_out` those that a success sets, for the document. `counted` is off for endpoints that the rate limit skips,
    `documented` for pages and assets. `loopback_only`: the path exists only for requests whose Host means this machine.
    `for_probes`: HTTP/1.0 needs no Host, because simple probes send none. `for_proxies`: a proxy asks about a request to
    somewhere else. Trusted proxies are not counted, a body is not read, and refusals have no body. `refuse` replaces a
    refusal of the edge or the endpoint by another one. `any_origin`: pages of every origin may read the answer.
    `needs_limiter`: answers 503 while the rate limit cannot count. `refused`: the refusal that every permitted caller
    gets, because the settings turn the endpoint off. `takes_form`: the body is a form
    (application/x-www-form-urlencoded). `oauth_errors`: refusals that are answered in the form of OAuth, and their error
    codes there.
    """

    method: str
    path: str
    handler: Callable[[Call[Body]], Awaitable[Reply]]
    summary: str
    tag: str = ""
    description: str = ""
    success: tuple[Success, ...] = (Success(),)
    guard: Guard | None = None
    uses_session: bool = False
    params: type[BaseModel] | None = None
    self_only: Callable[[Any], int] | None = None
    refused: type[Refusal] | None = None
    body: type[Body] | None = None
    takes_form: bool = False
    native_body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    failures: tuple[type[Refusal], ...] = ()
    cookies_in: tuple[str, ...] = ()
    cookies_out: tuple[str, ...] = ()
    counted: bool = True
    documented: bool = True
    loopback_only: bool = False
    for_probes: bool = False
    for_proxies: bool = False
    refuse: Callable[[Exchange, Refusal], Refusal] | None = None
    any_origin: bool = False
    touches_database: bool = True
    needs_limiter: bool = False
    oauth_errors: Mapping[type[Refusal], str] = field(default_factory=dict)

    @property
    def is_credentialed(self) -> bool:
        """Tells whether the endpoint asks who calls."""
        return self.guard is not None or self.uses_session

    @property
    def takes_keys(self) -> bool:
        """Tells whether the endpoint admits API keys."""
        return self.guard is not None and self.guard.takes_keys

    @property
    def checks_csrf(self) -> bool:
        """Tells whether a request by cookies, or without any proof, needs a CSRF token.

        Where API keys alone are admitted, nothing that a browser sends unasked has any effect.
        """
        return self.method not in SAFE_METHODS and not (self.guard is not None and self.guard.takes_only_keys)

    async def answer(self, exchange: Exchange, parameters: dict[str, str]) -> Response:
        """Answers a request in this order: limiter (503), guard (401), turned off (403), path (400, 404), self (403),
        query (400), body (400, 415), handler.
        """
        try:
            return await self._answer(exchange, parameters)
        except Refusal as error:
            if (code := self.oauth_errors.get(type(error))) is None:
                raise
            return oauth_refusal(code, error)

    async def _answer(self, exchange: Exchange, parameters: dict[str, str]) -> Response:
        if self.needs_limiter and exchange.limiter_failed:
            raise ServiceUnavailable
        principal = await self.guard.find_principal(exchange) if self.guard else None
        if self.refused is not None:
            raise self.refused
        params = parse_params(self.params, parameters) if self.params else None
        if self.self_only and not (isinstance(principal, Principal) and principal.user_id == self.self_only(params)):
            raise Forbidden
        query = parse_query(self.query, exchange) if self.query else None
        body: Any = None
        if self.body is not None:
            body = parse_form(self.body, exchange) if self.takes_form else parse_body(self.body, exchange)
        reply = await self.handler(Call(exchange, body, principal, params, query))
        if reply.response is not None:
            response = reply.response
        else:
            answered = reply.success or self.success[0]
            response = json_response(success(answered.message, reply.data, reply.meta), answered.status)
        if exchange.kind is RequestKind.COOKIE:
            response.raw_headers.extend(answer_header("set-cookie", cookie) for cookie in reply.cookies)
        return response
