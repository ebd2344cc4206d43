"""Pages that links in mails open: each takes the token from the fragment and posts it. They share script and style."""

from pathlib import Path
from typing import Any

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Endpoint

SHARED = Path(__file__).parent
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def link_page_endpoints(path: str, page: Path, *, root_path: str, summary: str) -> tuple[Endpoint[Any], ...]:
    """The HTML file `page` at `path`, and the script and style that it loads from below that path."""
    return (
        page_endpoint(path, page, root_path=root_path, policy=PAGE_POLICY, summary=summary),
        asset_endpoint(f"{path}/page.js", SHARED / "page.js"),
        asset_endpoint(f"{path}/page.css", SHARED / "page.css"),
    )
