"""FastAPI and Starlette."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from latchkey_client.errors import Refused
from latchkey_client.incoming import Incoming
from latchkey_client.needs import Needs
from latchkey_client.user import User

if TYPE_CHECKING:
    from latchkey_client.client import Latchkey

P = ParamSpec("P")
R = TypeVar("R")


class RefusedRequest(HTTPException):
    """A refusal in FastAPI's terms, so that its status is right even in an app without `exception_handlers`."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.status, refused.message, refused.headers)
        self.refused = refused


async def _answer_refused(_: Request, refused: RefusedRequest) -> Response:
    return _answer(refused.refused)


exception_handlers: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    RefusedRequest: _answer_refused
}
"""For `FastAPI(exception_handlers=…)`: answers refusals in Latchkey's envelope."""


def dependency(auth: "Latchkey", needs: Needs) -> Callable[[Request], Awaitable[User]]:
    """Returns a dependency of FastAPI."""

    async def signed_in(request: Request) -> User:
        try:
            return await auth.aauthenticate(_incoming(request), needs)
        except Refused as refused:
            raise RefusedRequest(refused) from None

    return signed_in


def guard(auth: "Latchkey", needs: Needs) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator of endpoints: functions, or methods of an HTTPEndpoint, with `async` or without."""

    def decorate(endpoint: Callable[P, R]) -> Callable[P, R]:
        @wraps(endpoint)
        async def guarded_async(*args: P.args, **kwargs: P.kwargs) -> object:
            request = _request_of(args)
            try:
                request.scope["user"] = await auth.aauthenticate(_incoming(request), needs)
            except Refused as refused:
                return _answer(refused)
            return await cast(Awaitable[object], endpoint(*args, **kwargs))

        @wraps(endpoint)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> object:
            # Starlette runs this in a thread.
            request = _request_of(args)
            try:
                request.scope["user"] = auth.authenticate(_incoming(request), needs)
            except Refused as refused:
                return _answer(refused)
            return endpoint(*args, **kwargs)

        return cast(Callable[P, R], guarded_async if inspect.iscoroutinefunction(endpoint) else guarded)

    return decorate


def _request_of(arguments: tuple[object, ...]) -> Request:
    for argument in arguments:
        if isinstance(argument, Request):
            return argument
    raise TypeError("this decorator is for endpoints of Starlette, which take a request; FastAPI has auth.fastapi()")


def _incoming(request: Request) -> Incoming:
    return Incoming(
        method=request.method,
        headers=request.headers.getlist,
        own_origin=lambda: f"{request.url.scheme}://{request.headers.get('host', '')}",
    )


def _answer(refused: Refused) -> Response:
    return JSONResponse(refused.body, refused.status, refused.headers)
