"""The edge: the layers of every request, and the headers of every answer."""

import itertools
import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from latchkey.clock import stopwatch
from latchkey.http.edge.body import read_body
from latchkey.http.edge.client import ClientAddress, network_of
from latchkey.http.edge.cors import Cors
from latchkey.http.edge.csrf import Csrf
from latchkey.http.edge.headers import finish
from latchkey.http.edge.host import check_host, names_loopback
from latchkey.http.edge.large_answers import LARGE_BYTES, LargeAnswers
from latchkey.http.edge.log import log_request
from latchkey.http.edge.rate_limit import RateLimit
from latchkey.http.edge.request_kinds import RequestKinds
from latchkey.http.endpoint import SAFE_METHODS, Endpoint
from latchkey.http.envelope import empty_response, failure, json_response
from latchkey.http.errors import InternalError, MethodNotAllowed, NotFound
from latchkey.http.exchange import Exchange, answer_header
from latchkey.http.request_kind import RequestKind
from latchkey.http.routing import Match, RouteTable
from latchkey.http.streamed import StreamedResponse
from latchkey.refusal import Refusal

log = structlog.get_logger(__name__)


class Edge:
    """The ASGI application for HTTP: layers, then the endpoint. It raises nothing to the server.

    `routes` are all endpoints. `kinds` finds out how a request says who asks. `translated` turns exceptions of lower
    packages, which know nothing of HTTP, into refusals (an unavailable database: 503). `root_path` is the path that
    Latchkey is served under on the app's host.
    """

    def __init__(
        self,
        routes: RouteTable,
        *,
        cors: Cors,
        client: ClientAddress,
        rate_limit: RateLimit,
        csrf: Csrf,
        kinds: RequestKinds,
        translated: Mapping[type[Exception], type[Refusal]],
        root_path: str,
        logs_requests: bool,
    ) -> None:
        self.routes = routes
        self._cors = cors
        self._client = client
        self._rate_limit = rate_limit
        self._csrf = csrf
        self._kinds = kinds
        self._large = LargeAnswers()
        self._translated = translated
        self._root_path = root_path
        self._logs_requests = logs_requests
        self._warned_of_stranger = False
        # Request ids: a random prefix for the process, then a counter. They must be unique, not unguessable, and random
        # bytes would cost a system call for each request.
        self._process_id = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = stopwatch()
        exchange = Exchange(scope, receive, f"{self._process_id}{next(self._numbers):016x}")
        endpoint: Endpoint[Any] | None = None
        try:
            match = self._find(exchange)
            endpoint = match.resource.endpoints.get(exchange.method) if match is not None else None
            response = await self._pass(exchange, match, endpoint)
        except Refusal as error:
            response = refused(error, exchange, endpoint)
        except Exception as error:  # noqa: BLE001 the last resort: any bug becomes a 500
            response = refused(self._failure(error, exchange), exchange, endpoint)
        finish(response, exchange)
        if exchange.method == "HEAD" and not isinstance(response, StreamedResponse):
            response.body = b""
        if self._logs_requests:
            log_request(exchange, response.status_code, started)
        if isinstance(response, StreamedResponse):
            await response(scope, receive, send)
        elif len(response.body) > LARGE_BYTES:
            await self._large.send(response, exchange, send)
        else:
            await response(scope, receive, send)

    def _find(self, exchange: Exchange) -> Match | None:
        match = self.routes.find(self._below_root(exchange.path), exchange.raw_path)
        if match is not None and match.resource.loopback_only and not names_loopback(exchange):
            return None
        return match

    async def _pass(self, exchange: Exchange, match: Match | None, endpoint: Endpoint[Any] | None) -> Response:
        is_public = endpoint is not None and endpoint.any_origin
        for_proxies = match is not None and match.resource.for_proxies
        preflight = self._cors.preflight(exchange, any_origin=is_public, for_proxies=for_proxies)
        if preflight is not None:
            return preflight
        self._client.identify(exchange)
        if self._is_counted(exchange, endpoint):
            await self._count(exchange, endpoint)
        check_host(exchange, optional=endpoint is not None and endpoint.for_probes)
        if endpoint is None or not endpoint.for_proxies:
            await read_body(exchange)
        exchange.kind = self._kinds.find(exchange, endpoint)
        if exchange.kind is RequestKind.COOKIE and (
            endpoint.checks_csrf if endpoint is not None else exchange.method not in SAFE_METHODS
        ):
            self._csrf.check(exchange)
        if match is None:
            raise NotFound
        if endpoint is None:
            raise MethodNotAllowed(headers=(("Allow", match.resource.allow),))
        response = await endpoint.answer(exchange, match.parameters)
        if isinstance(response, StreamedResponse):
            return response
        # Only a GET may be refused this late, because it has changed nothing.
        if len(response.body) > LARGE_BYTES and exchange.method == "GET":
            self._large.require_room(exchange)
        return response

    def _is_counted(self, exchange: Exchange, endpoint: Endpoint[Any] | None) -> bool:
        if endpoint is None or not endpoint.for_proxies:
            return endpoint is None or endpoint.counted
        if not exchange.from_proxy and not self._warned_of_stranger:
            self._warned_of_stranger = True
            log.warning(
                "a check for a proxy was counted: its sender is not in TRUSTED_PROXIES",
                peer=exchange.peer,
                path=exchange.path,
            )
        return not exchange.from_proxy

    async def _count(self, exchange: Exchange, endpoint: Endpoint[Any] | None) -> None:
        """Counts a request for its good API key, where keys are taken; any other one for its address."""
        guard = endpoint.guard if endpoint is not None else None
        if guard is None or not await guard.count(exchange):
            count = (guard.limit if guard is not None else None) or self._rate_limit.count
            await count(exchange, network_of(exchange.client_ip))

    def _below_root(self, path: str) -> str:
        # Some proxies strip the prefix and some keep it. Both work.
        if self._root_path and (path == self._root_path or path.startswith(self._root_path + "/")):
            return path[len(self._root_path) :] or "/"
        return path

    def _failure(self, error: Exception, exchange: Exchange) -> Refusal:
        for kind, answer in self._translated.items():
            if isinstance(error, kind):
                log.warning("unavailable", cause=str(error), request_id=exchange.request_id)
                return answer()
        log.error("unexpected error", request_id=exchange.request_id, exc_info=error)
        return InternalError()


def refused(error: Refusal, exchange: Exchange, endpoint: Endpoint[Any] | None) -> Response:
    """Returns the answer for a refusal of a request to that endpoint; None: to no endpoint."""
    if endpoint is not None and endpoint.refuse is not None:
        error = endpoint.refuse(exchange, error)
    headers = [answer_header(name, value) for name, value in error.headers]
    if exchange.kind is RequestKind.BEARER and error.status in {401, 403}:
        challenge = ' error="invalid_token"' if error.status == 401 else error.challenge
        headers.append(answer_header("WWW-Authenticate", f"Bearer{challenge}"))
    if error.closes_connection:
        headers.append(answer_header("Connection", "close"))
    if endpoint is not None and endpoint.for_proxies:
        return empty_response(error.status, headers)
    return json_response(failure(error), error.status, headers)
