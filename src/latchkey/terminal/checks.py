"""Checks of settings that several features have in common."""

from latchkey.feature import PlatformSettings
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.urls import is_plain, origin_of


def check_link_page(name: str, url: str, settings: PlatformSettings) -> Finding:
    """The page that links in mails open, by the setting `name`; it gets a token to post to us. `url` "": our own."""
    if not url:
        return ok(name, "links in mails open our own page")
    if not settings.development and is_plain(url):
        return problem(
            name,
            "is http: anyone on the network path can read and replace that page, token included",
            "serve that page over https",
        )
    # Without PUBLIC_URL nobody knows our origin; that is a finding of its own.
    if settings.public_url and origin_of(url) not in settings.allowed_origins() | {origin_of(settings.base_url())}:
        return warning(
            name,
            "is of an origin that is neither ours nor in CORS_ORIGINS: its script cannot call us",
            "add the origin to CORS_ORIGINS, unless a server of that page's own calls us",
        )
    return ok(name, f"links in mails open {url}")


def check_needs_mail(name: str, *, is_on: bool, settings: PlatformSettings) -> Finding:
    """A setting that cannot work where no mail is sent."""
    if is_on and not settings.mail_is_sent():
        return problem(name, "cannot work, since SMTP_URL is not set", "set SMTP_URL and MAIL_FROM, or leave it off")
    return ok(name, "is on" if is_on else "is off")
