"""HTTP that no client of ours sends. Each row is refused without harm to the process that reads it.

Most of it is refused by the server's own parser, before the application: no envelope then, but the connection ends.
"""

import pytest

from tests.kit.processes import worker_of
from tests.kit.raw_http import HOST, RawConnection
from tests.kit.server import Server

POST = b"POST /auth/register HTTP/1.1\r\n" + HOST
GET = b"GET /healthz HTTP/1.1\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(200))
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"


def _length(value: str) -> bytes:
    return POST + f"Content-Length: {value}\r\n\r\n{{}}".encode()


def _coding(*values: str) -> bytes:
    lines = "".join(f"Transfer-Encoding: {value}\r\n" for value in values)
    return POST + lines.encode("latin-1") + b"\r\n2\r\n{}\r\n0\r\n\r\n"


REFUSED_BY_THE_PARSER = {
    # A length that two readers could understand in two ways.
    "length negative": _length("-1"),
    "length with sign": _length("+2"),
    "length with point": _length("2.0"),
    "length with space": _length("2 2"),
    "length with exponent": _length("1e30"),
    "length in hex": _length("0x2"),
    "length empty": _length(""),
    "length as list": _length("2, 2"),
    "length in other digits": _length("２"),
    "length past 64 bits": _length("9" * 23),
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    # A coding that does not end in chunked has no end.
    "coding unknown": _coding("xchunked"),
    "coding after chunked": _coding("chunked, identity"),
    "coding identity": _coding("identity"),
    "coding with parameter": _coding("chunked;q=1"),
    "coding after vertical tab": _coding("\x0bchunked"),
    "coding in HTTP/1.0": _coding("chunked").replace(b"HTTP/1.1", b"HTTP/1.0"),
    # Headers that some readers split, join or cut where others do not.
    "folded header": GET + HOST + b"X-A: a\r\n b\r\n\r\n",
    "folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare CR in a value": GET + HOST + b"X-A: a\rb\r\n\r\n",
    "bare CR for an end": GET + b"Host: localhost\rX-A: 1\r\n\r\n",
    "space before colon": GET + b"Host : localhost\r\n\r\n",
    "space before the colon of a length": POST + b"Content-Length : 2\r\n\r\n{}",
    "space before a name": GET + b" Host: localhost\r\n\r\n",
    "NUL in a value": GET + HOST + b"X-A: a\0b\r\n\r\n",
    "NUL in a name": GET + HOST + b"X\0A: a\r\n\r\n",
    "control character in a value": GET + HOST + b"X-A: a\x01b\r\n\r\n",
    "no name": GET + HOST + b": a\r\n\r\n",
    "no colon": GET + HOST + b"abc\r\n\r\n",
    # More than anybody needs.
    "long request line": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "200 headers": GET + HOST + b"".join(b"X-%d: 1\r\n" % number for number in range(200)) + b"\r\n",
    "64 kB header": GET + HOST + b"X-A: " + b"a" * 65_536 + b"\r\n\r\n",
    # Other protocols.
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2.0 in clear": b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/2 preface": HTTP2_PREFACE,
    "TLS": TLS_HELLO,
    "lower-case version": b"GET /healthz http/1.1\r\n" + HOST + b"\r\n",
    "control character in the path": b"GET /he\x01althz HTTP/1.1\r\n" + HOST + b"\r\n",
    "tabs in the request line": b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "two spaces in the request line": b"GET  /healthz  HTTP/1.1\r\n" + HOST + b"\r\n",
    "no method": b"G@T /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes that are no text": b"\xff\xfe\0\1\r\n\r\n",
}

REFUSED_BY_US = {
    # The parser takes any list that ends in chunked.
    "chunked twice": _coding("chunked, chunked"),
    "gzip, then chunked": _coding("gzip, chunked"),
    "identity, then chunked": _coding("identity, chunked"),
    "nothing, then chunked": _coding(",chunked"),
    "two codings": _coding("chunked", "chunked"),
    "two codings that differ": _coding("identity", "chunked"),
    # Chunks that are none: no answer of the server's own, least of all a 500.
    "chunk size in C": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk size negative": CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
    "chunk size past 64 bits": CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "chunk size none": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "chunk with bare LF": CHUNKED + b"2\n{}\n0\n\n",
    "chunk extension with bare LF": CHUNKED + b"2;\n{}\r\n0\r\n\r\n",
    "chunk longer than it says": CHUNKED + b"2\r\n{}X\r\n0\r\n\r\n",
}

BAD_HOSTS = {
    "none": b"",
    "two": b"Host: a\r\nHost: b\r\n",
    "two that are equal": b"Host: a\r\nHost: a\r\n",
    "empty": b"Host:\r\n",
    "path": b"Host: a/b?c=\r\n",
    "fragment": b"Host: a#b\r\n",
    "user": b"Host: a@b\r\n",
    "list": b"Host: a,b\r\n",
    "space": b"Host: a b\r\n",
    "backslash": b"Host: a\\b\r\n",
    "port that is none": b"Host: a:b\r\n",
    "half a bracket": b"Host: [::1\r\n",
    "not ASCII": b"Host: \xe9\r\n",
}


@pytest.mark.parametrize("name", REFUSED_BY_THE_PARSER)
def test_parser_refuses_and_closes(server: Server, name: str) -> None:
    """Answered with a 4xx or not at all, then closed; nothing behind it is read as a request."""
    worker = worker_of(server)
    with RawConnection(server) as connection:
        connection.send(REFUSED_BY_THE_PARSER[name] + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        response = connection.response()
        assert response is None or response.status in {400, 414, 431}, response
        assert connection.ended()
    assert worker_of(server) == worker


@pytest.mark.parametrize("name", REFUSED_BY_US)
def test_body_without_a_sure_end_is_refused_and_closed(server: Server, name: str) -> None:
    """400 in the envelope, then closed: where the next request begins is anybody's guess."""
    with RawConnection(server) as connection:
        response = connection.answer(REFUSED_BY_US[name] + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert response.refused == (400, "INVALID_REQUEST")
        assert connection.ended()


def test_length_beside_chunks_smuggles_nothing(server: Server) -> None:
    """RFC 9112 section 6.3: read by its chunks, and the connection ends; what hides in the body is no request."""
    hidden = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    for framing in (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n",
    ):
        with RawConnection(server) as connection:
            body = b"0\r\n\r\n" + hidden
            response = connection.answer(POST + framing % len(body) + b"\r\n" + body)
            assert response.refused == (403, "EBADCSRFTOKEN")
            assert connection.ended()


@pytest.mark.parametrize("name", BAD_HOSTS)
def test_host_is_one_host(server: Server, name: str) -> None:
    """Whoever builds a link from Host must find nothing but a host in it."""
    with RawConnection(server) as connection:
        response = connection.answer(b"GET /users HTTP/1.1\r\n" + BAD_HOSTS[name] + b"\r\n")
        assert response.refused == (400, "INVALID_REQUEST")
        assert response.json()["message"] == "Invalid Host header"


@pytest.mark.parametrize("host", ["a", "localhost:3000", "127.0.0.1", "[::1]:3000", "xn--bcher-kva.example", "a_b.c"])
def test_hosts_that_are_good(server: Server, host: str) -> None:
    """A rule that refuses every host would pass the test above."""
    with RawConnection(server) as connection:
        response = connection.answer(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert response.status == 200


def test_half_of_every_row_leaves_the_process_alone(server: Server) -> None:
    """Clients that hang up in the middle of a request: the process goes on, and so do its other clients."""
    worker = worker_of(server)
    with RawConnection(server) as bystander:
        assert bystander.answer(GET + HOST + b"\r\n").status == 200
        for data in (*REFUSED_BY_THE_PARSER.values(), *REFUSED_BY_US.values()):
            with RawConnection(server) as connection:
                connection.send(data[: len(data) // 2])
        assert bystander.answer(GET + HOST + b"\r\n").status == 200
    assert worker_of(server) == worker


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/healthz/", "/readyz?x=1"])
def test_probe_in_http_1_0_needs_no_host(server: Server, path: str) -> None:
    """Simple probes send none; RFC 9112 section 3.2 asks for one only since HTTP/1.1."""
    with RawConnection(server) as connection:
        response = connection.answer(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert response.status == 200
        assert response.json()["success"] is True
        assert "content-security-policy" in response.headers
        assert connection.ended()


@pytest.mark.parametrize("name", BAD_HOSTS)
@pytest.mark.parametrize(
    ("line", "paths"),
    [
        (b"GET %s HTTP/1.1", (b"/healthz", b"/readyz")),
        (b"GET %s HTTP/1.0", (b"/auth/csrf-token", b"/users", b"/openapi.json", b"/client.js", b"/nothing", b"/")),
        (b"POST %s HTTP/1.0", (b"/healthz", b"/auth/login")),
    ],
    ids=repr,
)
def test_other_requests_need_one_host(server: Server, name: str, line: bytes, paths: tuple[bytes, ...]) -> None:
    """Whatever the version."""
    for path in paths:
        with RawConnection(server) as connection:
            response = connection.answer(line % path + b"\r\n" + BAD_HOSTS[name] + b"\r\n")
            assert response.refused == (400, "INVALID_REQUEST")
            assert response.json()["message"] == "Invalid Host header"


@pytest.mark.parametrize("name", [name for name in BAD_HOSTS if name not in {"none", "empty"}])
def test_probe_in_http_1_0_with_a_bad_host(server: Server, name: str) -> None:
    """What it does send must be one host."""
    with RawConnection(server) as connection:
        response = connection.answer(b"GET /healthz HTTP/1.0\r\n" + BAD_HOSTS[name] + b"\r\n")
        assert response.refused == (400, "INVALID_REQUEST")
