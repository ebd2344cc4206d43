"""Pages that mailed links open. Each takes the token from the fragment and posts it. They share script and style."""

from pathlib import Path
from typing import Any

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Endpoint
from latchkey.http.settings import HttpSettings

SHARED = Path(__file__).parent
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def link_page_endpoints(path: str, page: Path, *, settings: HttpSettings, summary: str) -> tuple[Endpoint[Any], ...]:
    """Returns the endpoints of the HTML file `page` at `path`, and of its script and style below that path.

    When done, the page links to RETURN_URL, if that is set.
    """
    return (
        page_endpoint(
            path,
            page,
            root_path=settings.root_path,
            policy=PAGE_POLICY,
            summary=summary,
            values={"return_url": settings.return_url},
        ),
        asset_endpoint(f"{path}/page.js", SHARED / "page.js"),
        style_endpoint(f"{path}/page.css"),
    )


def style_endpoint(path: str) -> Endpoint[Any]:
    """Returns the endpoint of the style that all these pages share."""
    return asset_endpoint(path, SHARED / "page.css")
