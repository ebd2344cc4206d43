"""What browsers load from us: the pages that links in mails open, which take the token from the fragment and post it,
and the client module that front ends import."""

from pathlib import Path
from typing import Any

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Endpoint

CLIENT = Path(__file__).parent / "client.js"
RESET_PAGE = Path(__file__).parent / "reset_page"
VERIFY_PAGE = Path(__file__).parent / "verify_page"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def link_page_endpoints(root_path: str) -> list[Endpoint[Any]]:
    """/reset-password and /verify-email, and their assets."""
    return [
        page_endpoint(
            "/reset-password",
            RESET_PAGE / "index.html",
            root_path=root_path,
            policy=PAGE_POLICY,
            summary="Set a new password",
        ),
        asset_endpoint("/reset-password/page.js", RESET_PAGE / "page.js"),
        asset_endpoint("/reset-password/page.css", RESET_PAGE / "page.css"),
        page_endpoint(
            "/verify-email",
            VERIFY_PAGE / "index.html",
            root_path=root_path,
            policy=PAGE_POLICY,
            summary="Confirm your e-mail address",
        ),
        asset_endpoint("/verify-email/page.js", VERIFY_PAGE / "page.js"),
    ]


def client_endpoint() -> Endpoint[Any]:
    """/client.js, for front ends here and on the origins that CORS allows."""
    return asset_endpoint("/client.js", CLIENT, cross_origin=True)
