"""`latchkey doctor`'s check of forward auth."""

from latchkey.feature import PlatformSettings
from latchkey.features.forward_auth.settings import ForwardAuthSettings
from latchkey.terminal.finding import Finding, ok, problem
from latchkey.urls import is_plain


def check(settings: ForwardAuthSettings, platform: PlatformSettings) -> tuple[Finding, ...]:
    """Checks SIGN_IN_URL, on which people type their passwords."""
    name, url = "SIGN_IN_URL", settings.sign_in_url
    if not url:
        return (ok(name, "is not set: forward auth sends nobody to a page to sign in"),)
    if not platform.development and is_plain(url):
        return (
            problem(
                name,
                "is http: anyone on the network path can read the passwords typed there",
                "serve that page over https",
            ),
        )
    return (ok(name, f"forward auth sends people to {url}, where a proxy asks with redirect=1"),)
