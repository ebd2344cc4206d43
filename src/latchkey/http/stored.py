"""Serves content that never changes while the process runs: compresses it once, and answers 304 where the client has
it."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Sequence

from starlette.responses import Response

from latchkey.http.exchange import Exchange, answer_header

COMPRESSED_FROM_BYTES = 1024
COMPRESSION_LEVEL = 6
ETAG_CHARS = 32
_VARY = answer_header("Vary", "Accept-Encoding, Origin")
_GZIP = answer_header("Content-Encoding", "gzip")
_BLANKS = " \t"
_CODING = re.compile(r"[ \t]*([a-z0-9*-]+)[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*)?")


class StoredContent:
    """A file or document to serve. `headers` are part of every answer, 304 included.

    Text is compressed for a client that accepts gzip, at the first request and in a thread. The largest asset would
    delay the start by 0.2 s.
    """

    def __init__(self, content: bytes, media_type: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._content = content
        self._gzipped: bytes | None = None
        self._compressing = asyncio.Lock()
        self._compressible = len(content) >= COMPRESSED_FROM_BYTES and not media_type.startswith("image/")
        self._tag = hashlib.sha256(content).hexdigest()[:ETAG_CHARS]
        self._type = answer_header("Content-Type", media_type)
        self._headers = [*headers, _VARY] if self._compressible else list(headers)

    async def response(self, exchange: Exchange) -> Response:
        """Returns the content in an encoding that the request accepts, or 304 if the client has the same content."""
        gzipped = self._compressible and accepts_gzip(exchange.header("accept-encoding"))
        etag = f'"{self._tag}-gzip"' if gzipped else f'"{self._tag}"'
        if names_etag(exchange.header("if-none-match"), etag):
            response = Response(status_code=304)
        else:
            response = Response(await self._compressed() if gzipped else self._content)
            response.raw_headers.append(self._type)
            if gzipped:
                response.raw_headers.append(_GZIP)
        response.raw_headers += [answer_header("ETag", etag), *self._headers]
        if self._compressible:
            # One line for both: a cache of nginx before 1.23 goes by the last line alone.
            exchange.answer_headers = [header for header in exchange.answer_headers if header[0] != _VARY[0]]
        return response

    async def _compressed(self) -> bytes:
        async with self._compressing:
            if self._gzipped is None:
                # Without a time, so that instances and restarts send the same bytes under one ETag.
                self._gzipped = await asyncio.to_thread(gzip.compress, self._content, COMPRESSION_LEVEL, mtime=0)
            return self._gzipped


def accepts_gzip(header: str | None) -> bool:
    """Tells whether an Accept-Encoding header allows gzip (RFC 9110, 12.5.3). Ignores malformed entries."""
    matches = [_CODING.fullmatch(entry) for entry in (header or "").lower().split(",")]
    weights = {match[1]: float(match[2] or 1) for match in matches if match}
    named = next((name for name in ("gzip", "x-gzip", "*") if name in weights), None)
    return named is not None and weights[named] > 0


def names_etag(header: str | None, etag: str) -> bool:
    """Tells whether an If-None-Match header names `etag` (RFC 9110, 13.1.2). Weak and strong tags are equal there."""
    if header is None:
        return False
    named = [entry.strip(_BLANKS).removeprefix("W/") for entry in header.split(",")]
    return etag in named or named == ["*"]
