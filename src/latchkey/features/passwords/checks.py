"""`latchkey doctor`'s checks of passwords."""

from latchkey.feature import PlatformSettings
from latchkey.features.passwords.settings import PasswordSettings
from latchkey.terminal.checks import check_link_page
from latchkey.terminal.finding import Finding


def check(settings: PasswordSettings, platform: PlatformSettings) -> tuple[Finding, ...]:
    """Checks RESET_URL."""
    return (check_link_page("RESET_URL", settings.reset_url, platform),)
