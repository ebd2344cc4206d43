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
from latchkey.http.envelope import failure, json_response
from latchkey.http.errors import InternalError, MethodNotAllowed, NotFound
from latchkey.http.exchange import Exchange, answer_header
from latchkey.http.request_kind import RequestKind
from latchkey.http.routing import RouteTable
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
        # Request ids: a random prefix for the process, then a counter. They must be unique, not unguessable, and random
        # bytes would cost a system call for each request.
        self._process_id = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = stopwatch()
        exchange = Exchange(scope, receive, f"{self._process_id}{next(self._numbers):016x}")
        try:
            response = await self._pass(exchange)
        except Refusal as error:
            response = refusal(error, exchange.kind)
        except Exception as error:  # noqa: BLE001 the last resort: any bug becomes a 500
            response = self._failed(error, exchange)
        finish(response, exchange)
        if exchange.method == "HEAD":
            response.body = b""
        if self._logs_requests:
            log_request(exchange, response.status_code, started)
        if len(response.body) > LARGE_BYTES:
            await self._large.send(response, exchange, send)
        else:
            await response(scope, receive, send)

    async def _pass(self, exchange: Exchange) -> Response:
        match = self.routes.find(self._below_root(exchange.path), exchange.raw_path)
        if match is not None and match.resource.loopback_only and not names_loopback(exchange):
            match = None
        endpoint = match.resource.endpoints.get(exchange.method) if match is not None else None
        is_public = endpoint is not None and endpoint.any_origin
        if (preflight := self._cors.preflight(exchange, any_origin=is_public)) is not None:
            return preflight
        self._client.identify(exchange)
        if endpoint is None or endpoint.counted:
            await self._count(exchange, endpoint)
        check_host(exchange, optional=endpoint is not None and endpoint.for_probes)
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
        # Only a GET may be refused this late, because it has changed nothing.
        if len(response.body) > LARGE_BYTES and exchange.method == "GET":
            self._large.require_room(exchange)
        return response

    async def _count(self, exchange: Exchange, endpoint: Endpoint[Any] | None) -> None:
        """Counts a request for its good API key, where keys are taken; any other one for its address."""
        if endpoint is None or endpoint.guard is None or not await endpoint.guard.count(exchange):
            await self._rate_limit.count(exchange, network_of(exchange.client_ip))

    def _below_root(self, path: str) -> str:
        # Some proxies strip the prefix and some keep it. Both work.
        if self._root_path and (path == self._root_path or path.startswith(self._root_path + "/")):
            return path[len(self._root_path) :] or "/"
        return path

    def _failed(self, error: Exception, exchange: Exchange) -> Response:
        for kind, answer in self._translated.items():
            if isinstance(error, kind):
                log.warning("unavailable", cause=str(error), request_id=exchange.request_id)
                return refusal(answer(), exchange.kind)
        log.error("unexpected error", request_id=exchange.request_id, exc_info=error)
        return refusal(InternalError(), exchange.kind)


def refusal(error: Refusal, kind: RequestKind) -> Response:
    """Returns the answer for a refusal of a request of that kind."""
    headers = [answer_header(name, value) for name, value in error.headers]
    if kind is RequestKind.BEARER and error.status in {401, 403}:
        challenge = ' error="invalid_token"' if error.status == 401 else error.challenge
        headers.append(answer_header("WWW-Authenticate", f"Bearer{challenge}"))
    if error.closes_connection:
        headers.append(answer_header("Connection", "close"))
    return json_response(failure(error), error.status, headers)
