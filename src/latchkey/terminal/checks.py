"""Checks of settings that several features share."""

from latchkey.feature import PlatformSettings
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.urls import is_plain, origin_of


def check_link_page(name: str, url: str, settings: PlatformSettings) -> Finding:
    """Checks the page that mailed links open, set by `name`. That page gets a token and posts it to us.

    With `url` "", links open the built-in page.
    """
    if not url:
        return ok(name, "links in mails open the built-in page")
    if not settings.development and is_plain(url):
        return problem(
            name,
            "is http: anyone on the network path can read and replace that page, token included",
            "serve that page over https",
        )
    # Without PUBLIC_URL our origin is unknown. Another check reports that.
    if settings.public_url and origin_of(url) not in settings.allowed_origins() | {origin_of(settings.base_url())}:
        return warning(
            name,
            "has an origin that is neither Latchkey's nor in CORS_ORIGINS: its script cannot call Latchkey",
            "add the origin to CORS_ORIGINS, unless the page's own server calls Latchkey",
        )
    return ok(name, f"links in mails open {url}")


def check_needs_mail(name: str, *, is_on: bool, settings: PlatformSettings) -> Finding:
    """Checks a setting that requires mail."""
    if is_on and not settings.mail_is_sent():
        return problem(name, "needs mail, but SMTP_URL is not set", "set SMTP_URL and MAIL_FROM, or turn it off")
    return ok(name, "is on" if is_on else "is off")
