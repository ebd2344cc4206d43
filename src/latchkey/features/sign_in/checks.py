"""`latchkey doctor`'s checks of sign-in."""

from latchkey.feature import PlatformSettings
from latchkey.features.sign_in.settings import SignInSettings
from latchkey.terminal.checks import check_needs_mail
from latchkey.terminal.finding import Finding


def check(settings: SignInSettings, platform: PlatformSettings) -> tuple[Finding, ...]:
    """Checks that mail can be sent if NEW_DEVICE_MAIL is on."""
    return (check_needs_mail("NEW_DEVICE_MAIL", is_on=settings.new_device_mail, settings=platform),)
