"""Limits of bodies. Latchkey reads the body itself, counts its bytes and sets a deadline."""

import asyncio
import re

from latchkey.http.errors import BodyTooLarge, MalformedBody
from latchkey.http.exchange import Exchange

BODY_MAX_BYTES = 10_240
BODY_DEADLINE_SECONDS = 10.0
MAX_LENGTH_DIGITS = 18
_CHUNKED = re.compile("chunked", re.ASCII | re.IGNORECASE)


class BrokenBody(MalformedBody):
    """The end of the body is unknown: bad chunks, an unsupported transfer coding, or a client that stopped sending.

    The connection is closed, because more of the body may still arrive.
    """

    closes_connection = True


async def read_body(exchange: Exchange, deadline: float = BODY_DEADLINE_SECONDS) -> None:
    """Reads the body, at most 10 240 bytes, of any type, even if no endpoint needs it.

    Raises BodyTooLarge, before reading if Content-Length is too large, and BrokenBody, also after `deadline` seconds.
    """
    coding = exchange.header("transfer-encoding")
    if coding is not None and not _CHUNKED.fullmatch(coding):
        # The server accepts any list that ends in "chunked". A proxy in front may read it differently.
        raise BrokenBody
    length = exchange.header("content-length")
    if length is not None:
        if not (length.isascii() and length.isdigit()):
            raise MalformedBody
        if len(length) > MAX_LENGTH_DIGITS or int(length) > BODY_MAX_BYTES:
            raise BodyTooLarge
        if int(length) == 0:
            return
    elif coding is None:
        return
    try:
        async with asyncio.timeout(deadline):
            exchange.body = await _read(exchange)
    except TimeoutError:
        raise BrokenBody from None


async def _read(exchange: Exchange) -> bytes:
    body: bytes = b""
    while True:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            raise BrokenBody
        body += message.get("body", b"")
        if len(body) > BODY_MAX_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return body
