"""What browsers load from us: the front page, the pages that links in mails open, which take the token from the fragment
and post it, and the client module that front ends import."""

from pathlib import Path
from typing import Any

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Endpoint

CLIENT = Path(__file__).parent / "client.js"
FRONT_PAGE = Path(__file__).parent / "front_page.html"
LINK_PAGES = Path(__file__).parent / "link_pages"
FRONT_PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def front_page_endpoint(root_path: str, return_url: str, *, has_mailbox: bool) -> Endpoint[Any]:
    """/, which says what this service is and where to go from there. Its style is that of the link pages."""
    return page_endpoint(
        "/",
        FRONT_PAGE,
        root_path=root_path,
        policy=FRONT_PAGE_POLICY,
        summary="What this is",
        values={"return_url": return_url, "mailbox": has_mailbox},
    )


def link_page_endpoints(root_path: str, return_url: str) -> list[Endpoint[Any]]:
    """/reset-password and /verify-email, which share their script and their style. When they are done they link to
    `return_url`, unless it is empty."""

    def page(path: str, summary: str) -> Endpoint[Any]:
        return page_endpoint(
            path,
            LINK_PAGES / f"{path[1:]}.html",
            root_path=root_path,
            policy=PAGE_POLICY,
            summary=summary,
            values={"return_url": return_url},
        )

    return [
        page("/reset-password", "Set a new password"),
        page("/verify-email", "Confirm your e-mail address"),
        asset_endpoint("/reset-password/page.js", LINK_PAGES / "page.js"),
        asset_endpoint("/verify-email/page.js", LINK_PAGES / "page.js"),
        asset_endpoint("/reset-password/page.css", LINK_PAGES / "page.css"),
    ]


def client_endpoint() -> Endpoint[Any]:
    """/client.js, for front ends here and on the origins that CORS allows."""
    return asset_endpoint("/client.js", CLIENT, cross_origin=True)
