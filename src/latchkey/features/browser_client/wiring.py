"""Assembles the browser client feature."""

from pathlib import Path

from latchkey.feature import Contribution
from latchkey.http.assets import asset_endpoint

CLIENT = Path(__file__).parent / "client.js"


def wire_browser_client() -> Contribution:
    """Returns the endpoint /client.js, for front ends here and on the origins in CORS_ORIGINS."""
    return Contribution(endpoints=(asset_endpoint("/client.js", CLIENT, cross_origin=True),))
