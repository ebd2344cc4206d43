"""`latchkey doctor`'s checks of e-mail verification."""

from latchkey.feature import PlatformSettings
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.terminal.checks import check_link_page, check_needs_mail
from latchkey.terminal.finding import Finding


def check(settings: EmailVerificationSettings, platform: PlatformSettings) -> tuple[Finding, ...]:
    """Checks VERIFY_URL and that mail can be sent where a setting needs it."""
    return (
        check_link_page("VERIFY_URL", settings.verify_url, platform),
        check_needs_mail("REQUIRE_VERIFIED_EMAIL", is_on=settings.require_verified_email, settings=platform),
        check_needs_mail("CONFIRM_EMAIL_CHANGE", is_on=settings.confirm_email_change, settings=platform),
    )
