"""What browsers load from us: the page that a reset link opens, which takes the token from the fragment and posts it,
and the client module that front ends import."""

from pathlib import Path
from typing import Any

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Endpoint

CLIENT = Path(__file__).parent / "client.js"
RESET_PAGE = Path(__file__).parent / "reset_page"
RESET_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def reset_page_endpoints(root_path: str) -> list[Endpoint[Any]]:
    """/reset-password and its assets."""
    return [
        page_endpoint(
            "/reset-password",
            RESET_PAGE / "index.html",
            root_path=root_path,
            policy=RESET_POLICY,
            summary="Set a new password",
        ),
        asset_endpoint("/reset-password/page.js", RESET_PAGE / "page.js"),
        asset_endpoint("/reset-password/page.css", RESET_PAGE / "page.css"),
    ]


def client_endpoint() -> Endpoint[Any]:
    """/client.js, for front ends here and on the origins that CORS allows."""
    return asset_endpoint("/client.js", CLIENT, cross_origin=True)
