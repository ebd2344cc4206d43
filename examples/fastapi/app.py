"""Notes on FastAPI. Run: uvicorn app:app"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI
from latchkey_client import Latchkey, User
from latchkey_client.starlette import exception_handlers

auth = Latchkey(os.environ["LATCHKEY_URL"], api_key=os.environ.get("LATCHKEY_API_KEY"))
app = FastAPI(exception_handlers=exception_handlers)
notes: dict[int, list[str]] = {}
SignedIn = Annotated[User, Depends(auth.fastapi())]


@app.get("/notes")
def list_notes(user: SignedIn) -> list[str]:
    return notes.get(user.id, [])


@app.post("/notes")
def add_note(user: SignedIn, text: str) -> list[str]:
    notes.setdefault(user.id, []).append(text)
    return notes[user.id]


@app.post("/notes/clear", dependencies=[Depends(auth.fastapi(role="admin", max_age=900))])
def clear_all_notes() -> None:
    notes.clear()
