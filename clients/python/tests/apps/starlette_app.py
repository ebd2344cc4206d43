"""Starlette in other ways than the example: endpoints without `async`, and classes."""

import os

from latchkey_client import Latchkey
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

auth = Latchkey(os.environ["LATCHKEY_URL"])


@auth.starlette()
def sync_me(request: Request) -> JSONResponse:
    return JSONResponse(request.user.id)


class Me(HTTPEndpoint):
    """One method guarded, one not."""

    @auth.starlette()
    async def get(self, request: Request) -> JSONResponse:
        return JSONResponse(request.user.id)

    async def post(self, _: Request) -> JSONResponse:
        return JSONResponse("open")


app = Starlette(routes=[Route("/sync", sync_me), Route("/class", Me)])
