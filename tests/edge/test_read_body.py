"""`read_body` by itself: a body may come in any pieces, late, or never."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.http.edge.body import BODY_MAX_BYTES, BrokenBody, read_body
from latchkey.http.errors import BodyTooLarge
from latchkey.http.exchange import Exchange

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
CHUNKED: Headers = [(b"transfer-encoding", b"chunked")]


class Sender:
    """Stands for the ASGI server: hands out messages one by one, and notes how many were asked for."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        if not self._messages:
            await asyncio.Event().wait()
        return self._messages.pop(0)


def _exchange(sender: Sender, headers: Headers) -> Exchange:
    return Exchange({"type": "http", "method": "POST", "path": "/", "headers": headers}, sender, "0" * 32)


def _parts(chunks: Sequence[bytes]) -> list[Message]:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    return [*messages, {"type": "http.request", "body": b"", "more_body": False}]


async def _read(messages: Sequence[Message], headers: Headers) -> bytes:
    exchange = _exchange(Sender(messages), headers)
    await read_body(exchange, deadline=5)
    return exchange.body


@given(st.lists(st.binary(max_size=4000), max_size=12))
async def test_any_pieces_make_the_same_body(chunks: list[bytes]) -> None:
    """Joined in order up to 10 240 bytes; refused beyond, without asking for one piece more than is needed."""
    whole = b"".join(chunks)
    if len(whole) <= BODY_MAX_BYTES:
        assert await _read(_parts(chunks), CHUNKED) == whole
        return
    sender = Sender(_parts(chunks))
    with pytest.raises(BodyTooLarge):
        await read_body(_exchange(sender, CHUNKED))
    assert sum(len(chunk) for chunk in chunks[: sender.asked - 1]) <= BODY_MAX_BYTES


@given(st.integers(BODY_MAX_BYTES + 1, 10**40))
async def test_announced_length_is_refused_unread(length: int) -> None:
    """Not one byte of a body that says itself that it is too large."""
    sender = Sender([])
    with pytest.raises(BodyTooLarge):
        await read_body(_exchange(sender, [(b"content-length", str(length).encode())]))
    assert sender.asked == 0


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"0")]])
async def test_request_without_a_body_is_not_waited_for(headers: Headers) -> None:
    """Most requests have none: reading would cost each of them a turn of the event loop, or hang."""
    sender = Sender([])
    exchange = _exchange(sender, headers)
    await read_body(exchange)
    assert (exchange.body, sender.asked) == (b"", 0)


async def test_stalled_body_is_given_up() -> None:
    """A client that falls silent holds nothing for longer than the deadline; the connection is not used again."""
    sender = Sender([{"type": "http.request", "body": b"{", "more_body": True}])
    with pytest.raises(BrokenBody) as raised:
        await read_body(_exchange(sender, CHUNKED), deadline=0.02)
    assert (raised.value.status, raised.value.code) == (400, "INVALID_REQUEST")
    assert raised.value.closes_connection


async def test_trickle_does_not_move_the_deadline() -> None:
    """A byte now and then keeps nothing alive: the deadline is for the whole body."""

    async def trickle() -> Message:
        await asyncio.sleep(0.005)
        return {"type": "http.request", "body": b"x", "more_body": True}

    exchange = Exchange({"type": "http", "method": "POST", "path": "/", "headers": CHUNKED}, trickle, "0" * 32)
    with pytest.raises(BrokenBody):
        await read_body(exchange, deadline=0.05)


async def test_hang_up_is_no_end() -> None:
    """What came before the client was gone is not the body."""
    messages: list[Message] = [
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ]
    with pytest.raises(BrokenBody):
        await _read(messages, CHUNKED)


@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
    | st.sampled_from(["chunked", "Chunked", "CHUNKED", "chunked, chunked", "gzip, chunked", "chunked,"])
)
async def test_only_chunked_is_a_coding(value: str) -> None:
    """Whatever the server in front of us takes for a coding, we know of one."""
    headers = [(b"transfer-encoding", value.encode("latin-1"))]
    try:
        body = await _read(_parts([b"{}"]), headers)
    except BrokenBody:
        assert value.lower() != "chunked"
    else:
        assert (body, value.lower()) == (b"{}", "chunked")
