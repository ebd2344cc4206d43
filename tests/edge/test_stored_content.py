"""What stays the same while the process runs is compressed once, and not sent to a client that has it."""

import gzip
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest

from tests.kit.server import Server

COMPRESSED = (
    "/api-docs/swagger-ui-bundle.js",
    "/api-docs/swagger-ui.css",
    "/api-docs/init.js",
    "/client.js",
    "/reset-password/page.js",
    "/openapi.json",
)
SMALL_OR_PICTURE = ("/api-docs/page.css", "/api-docs/favicon-32x32.png", "/api-docs", "/verify-email")
PATH = "/client.js"


class Raw(NamedTuple):
    """An answer whose body is as it came, not decompressed."""

    status: int
    headers: httpx.Headers
    body: bytes


Ask = Callable[..., Raw]


@pytest.fixture(scope="module")
def ask(server: Server) -> Iterator[Ask]:
    """Asks the shared server: `ask(path)`, with `accept` and `has` for Accept-Encoding and If-None-Match."""
    with httpx.Client(base_url=server.url, timeout=20) as client:
        del client.headers["Accept-Encoding"]

        def ask_once(path: str, *, method: str = "GET", accept: str | None = None, has: str | None = None) -> Raw:
            given = {"Accept-Encoding": accept, "If-None-Match": has}
            headers = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
            with client.stream(method, path, headers=headers) as answer:
                return Raw(answer.status_code, answer.headers, b"".join(answer.iter_raw()))

        yield ask_once


@pytest.mark.parametrize("path", COMPRESSED)
def test_text_is_compressed_for_those_who_accept_it(ask: Ask, path: str) -> None:
    plain, packed = ask(path), ask(path, accept="gzip, deflate, br")
    assert "content-encoding" not in plain.headers
    assert packed.headers.get_list("content-encoding") == ["gzip"]
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    for answer in (plain, packed):
        assert answer.status == 200
        # Not two lines: caches of nginx before 1.23 go by the last one alone.
        assert answer.headers.get_list("vary") == ["Accept-Encoding, Origin"]
        assert int(answer.headers["content-length"]) == len(answer.body)
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["cache-control"] == plain.headers["cache-control"]
    assert packed.headers["etag"] != plain.headers["etag"]

    head = ask(path, method="HEAD", accept="gzip")
    assert head.body == b""
    for name in ("content-length", "content-encoding", "etag"):
        assert head.headers[name] == packed.headers[name]


@pytest.mark.parametrize("path", SMALL_OR_PICTURE)
def test_what_would_not_become_smaller_is_not_compressed(ask: Ask, path: str) -> None:
    answer = ask(path, accept="gzip")
    assert answer.status == 200
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True), ("GZIP", True), ("x-gzip", True), ("*", True), ("br, gzip", True), ("br,\tgzip ; q=0.001", True),
        ("identity;q=0.5, *", True), ("gzip;q=1.000", True), ("gzip;Q=1", True), ("nonsense(), gzip", True),
        ("", False), ("identity", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0.000, *", False),
        ("*;q=0", False), ("gzip;q=yes", False), ("gzip;level=9", False), ("gzippy", False), ("\xa0gzip", False),
    ],
)  # fmt: skip
def test_what_accept_encoding_allows(ask: Ask, accepted: str, packed: bool) -> None:
    assert ("content-encoding" in ask(PATH, accept=accepted).headers) == packed


@pytest.mark.parametrize("path", [*COMPRESSED, *SMALL_OR_PICTURE])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_a_client_that_has_it_is_told_so(ask: Ask, path: str, coding: str) -> None:
    first = ask(path, accept=coding)
    etag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}(-gzip)?"', etag)
    for method in ("GET", "HEAD"):
        for named in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = ask(path, method=method, accept=coding, has=named)
            assert (again.status, again.body) == (304, b""), named
            assert "content-length" not in again.headers
            for name in ("etag", "vary", "cache-control", "content-security-policy"):
                assert again.headers[name] == first.headers[name], name
        for named in ('"other"', etag.strip('"'), f"{etag}x", ""):
            assert ask(path, method=method, accept=coding, has=named).status == 200, named


def test_one_encoding_does_not_stand_for_the_other(ask: Ask) -> None:
    etag = ask(PATH, accept="gzip").headers["etag"]
    assert ask(PATH, accept="identity", has=etag).status == 200
