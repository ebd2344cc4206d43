"""Assembles the front page."""

from pathlib import Path

from latchkey.feature import Contribution, Platform
from latchkey.http.assets import page_endpoint
from latchkey.http.link_pages import style_endpoint

PAGE = Path(__file__).with_name("front_page.html")
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def wire_front_page(platform: Platform) -> Contribution:
    """Returns the endpoint `GET /` and its stylesheet."""
    page = page_endpoint(
        "/",
        PAGE,
        root_path=platform.settings.root_path,
        policy=POLICY,
        summary="What this is",
        values={"return_url": platform.settings.return_url, "mailbox": platform.dev},
    )
    return Contribution(endpoints=(page, style_endpoint("/page.css")))
