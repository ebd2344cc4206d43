"""How the browser client is served."""

from pathlib import Path

from latchkey.feature import Contribution
from latchkey.http.assets import asset_endpoint

CLIENT = Path(__file__).parent / "client.js"


def wire_browser_client() -> Contribution:
    """/client.js, for front ends here and on the origins that CORS allows."""
    return Contribution(endpoints=(asset_endpoint("/client.js", CLIENT, cross_origin=True),))
