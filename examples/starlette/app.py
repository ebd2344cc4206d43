"""Notes on Starlette. Run: uvicorn app:app"""

import os

from latchkey_client import Latchkey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

auth = Latchkey(os.environ["LATCHKEY_URL"], api_key=os.environ.get("LATCHKEY_API_KEY"))
notes: dict[int, list[str]] = {}


@auth.starlette()
async def use_notes(request: Request) -> JSONResponse:
    mine = notes.setdefault(request.user.id, [])
    if request.method == "POST":
        mine.append(request.query_params["text"])
    return JSONResponse(mine)


@auth.starlette(role="admin", max_age=900)
async def clear_all_notes(_: Request) -> JSONResponse:
    notes.clear()
    return JSONResponse(None)


clear = Route("/notes/clear", clear_all_notes, methods=["POST"])
app = Starlette(routes=[Route("/notes", use_notes, methods=["GET", "POST"]), clear])
