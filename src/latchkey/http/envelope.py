"""The envelope of every JSON answer."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from latchkey.refusal import Refusal, ValidationFailed

_NO_STORE = (b"cache-control", b"no-store")
_HEADERS = ((b"content-type", b"application/json; charset=utf-8"), _NO_STORE)


def success(message: str, data: Any = None, meta: BaseModel | None = None) -> bytes:
    """Returns the body of a success. `data` is a declared model, a list of them, or None.

    Other shapes raise PydanticSerializationError, so that nothing leaks.
    """
    body: dict[str, Any] = {"success": True, "message": message, "data": data}
    if meta is not None:
        body["meta"] = meta
    return to_json(body, by_alias=True)


def failure(error: Refusal) -> bytes:
    """Returns the body of a refusal: message (with its cause if set), code, and one entry for each bad field."""
    message = f"{error.message}: {error.cause}" if error.cause else error.message
    body: dict[str, Any] = {"success": False, "message": message, "code": error.code}
    if isinstance(error, ValidationFailed):
        body["errors"] = [{"field": bad.field, "message": bad.message} for bad in error.fields]
    return to_json(body)


def json_response(body: bytes, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    """Returns a JSON answer that no cache keeps, because nearly all answers depend on the caller."""
    response = Response(body, status)
    # Not passed as arguments: Starlette would encode them again for each answer.
    response.raw_headers += [*_HEADERS, *headers]
    return response


def empty_response(status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    """Returns an answer without a body that no cache keeps."""
    response = Response(status_code=status)
    response.raw_headers += [_NO_STORE, *headers]
    return response
