"""FastAPI in other ways than the example: without exception_handlers, with a router's dependency, and by methods."""

import os

from fastapi import APIRouter, Depends, FastAPI
from latchkey_client import Latchkey, User
from latchkey_client.starlette import exception_handlers

auth = Latchkey(os.environ["LATCHKEY_URL"], cookie_name="__Host-accessToken", origins=["https://pages.example.com"])
router = APIRouter(prefix="/router", dependencies=[Depends(auth.fastapi(amr={"mfa"}))])


@router.get("/me")
async def router_me(user: User = Depends(auth.fastapi())) -> list[str]:  # noqa: B008  # how FastAPI's users write it
    return sorted(user.amr)


@router.post("/me")
async def change_me() -> str:
    return "changed"


plain = FastAPI()
plain.include_router(router)
app = FastAPI(exception_handlers=exception_handlers)
app.include_router(router)
app.mount("/plain", plain)
