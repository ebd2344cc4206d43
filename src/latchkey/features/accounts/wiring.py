"""Assembles the accounts feature."""

from latchkey.feature import Contribution, Platform
from latchkey.features.accounts.endpoints import user_endpoints
from latchkey.features.accounts.me import me_endpoint
from latchkey.features.accounts.service import Accounts
from latchkey.features.accounts.settings import AccountSettings
from latchkey.features.email_verification.wiring import EmailVerificationParts


def wire_accounts(
    platform: Platform, settings: AccountSettings, email_verification: EmailVerificationParts
) -> Contribution:
    """Returns the endpoints /auth/me and /users."""
    accounts = Accounts(platform.database, platform.audit, platform.ender, email_verification.address_change)
    return Contribution(
        endpoints=(
            me_endpoint(accounts, platform.guards.signed_in),
            *user_endpoints(
                accounts,
                platform.guards,
                everybody=settings.users_list == "all",
                name_min=platform.settings.name_min_length,
            ),
        )
    )
