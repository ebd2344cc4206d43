"""What `latchkey doctor` looks at for sign-in."""

from latchkey.feature import PlatformSettings
from latchkey.features.sign_in.settings import SignInSettings
from latchkey.terminal.checks import check_needs_mail
from latchkey.terminal.finding import Finding


def check(settings: SignInSettings, platform: PlatformSettings) -> tuple[Finding, ...]:
    """What needs mail."""
    return (check_needs_mail("NEW_DEVICE_MAIL", is_on=settings.new_device_mail, settings=platform),)
