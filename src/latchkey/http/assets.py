"""Built-in pages and their assets: files of the package, read once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from latchkey.http.endpoint import Call, Endpoint, Reply
from latchkey.http.exchange import answer_header
from latchkey.http.stored import StoredContent

ASSET_CACHE = "public, max-age=3600"
_TEMPLATES = Environment(
    autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
)
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}


def page_endpoint(
    path: str, file: Path, *, root_path: str, policy: str, summary: str, values: Mapping[str, object] | None = None
) -> Endpoint[Any]:
    """Returns the endpoint of an HTML page with its own Content-Security-Policy.

    The file is a Jinja template that escapes its variables: `root`, the path that Latchkey is served under, and
    `values`. It is rendered once.
    """
    template = _TEMPLATES.from_string(file.read_text(encoding="utf-8"))
    content = template.render(root=root_path, **values or {}).encode()
    headers = [answer_header("Content-Security-Policy", policy), answer_header("Cache-Control", "no-cache")]
    return _file_endpoint(path, content, file.suffix, headers, summary=summary, counted=True)


def asset_endpoint(path: str, file: Path, *, cross_origin: bool = False) -> Endpoint[Any]:
    """Returns the endpoint of a page's script, style sheet or picture. The rate limit does not count it.

    `cross_origin`: pages of other origins may load it, too.
    """
    headers = [answer_header("Cache-Control", ASSET_CACHE)]
    if cross_origin:
        headers.append(answer_header("Cross-Origin-Resource-Policy", "cross-origin"))
    return _file_endpoint(path, file.read_bytes(), file.suffix, headers, summary=file.name, counted=False)


def _file_endpoint(
    path: str, content: bytes, suffix: str, headers: list[tuple[bytes, bytes]], *, summary: str, counted: bool
) -> Endpoint[Any]:
    stored = StoredContent(content, MEDIA_TYPES[suffix], headers)

    async def send_file(call: Call[None]) -> Reply:
        return Reply(response=await stored.response(call.exchange))

    return Endpoint(
        method="GET",
        path=path,
        handler=send_file,
        summary=summary,
        counted=counted,
        documented=False,
        touches_database=False,
    )
