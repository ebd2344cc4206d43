"""Flask."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import Response, abort, current_app, g, jsonify, request

from latchkey_client.errors import Refused
from latchkey_client.incoming import Incoming
from latchkey_client.needs import Needs

if TYPE_CHECKING:
    from latchkey_client.client import Latchkey

P = ParamSpec("P")
R = TypeVar("R")


def guard(auth: "Latchkey", needs: Needs) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator of views, with `async` or without."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                g.user = auth.authenticate(_incoming(), needs)
            except Refused as refused:
                abort(_answer(refused))
            result: R = current_app.ensure_sync(view)(*args, **kwargs)
            return result

        return guarded

    return decorate


def _incoming() -> Incoming:
    return Incoming(
        method=request.method,
        headers=request.headers.getlist,
        own_origin=lambda: f"{request.scheme}://{request.host}",
    )


def _answer(refused: Refused) -> Response:
    response = jsonify(refused.body)
    response.status_code = refused.status
    response.headers.update(refused.headers)
    return response
