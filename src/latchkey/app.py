"""The table of contents: every feature, lowest first, with what each one uses."""

from latchkey.feature import PLATFORM, Contribution, Platform, PlatformSettings
from latchkey.features.accounts import ACCOUNTS
from latchkey.features.accounts.settings import AccountSettings
from latchkey.features.admin_access import ADMIN_ACCESS
from latchkey.features.admin_access.settings import AdminAccessSettings
from latchkey.features.api_key_administration import API_KEY_ADMINISTRATION
from latchkey.features.api_keys import API_KEYS
from latchkey.features.api_keys.settings import ApiKeySettings
from latchkey.features.audit_log import AUDIT_LOG
from latchkey.features.browser_client import BROWSER_CLIENT
from latchkey.features.email_verification import EMAIL_VERIFICATION
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.features.forward_auth import FORWARD_AUTH
from latchkey.features.forward_auth.settings import ForwardAuthSettings
from latchkey.features.front_page import FRONT_PAGE
from latchkey.features.health import HEALTH
from latchkey.features.impersonation import IMPERSONATION
from latchkey.features.impersonation.settings import ImpersonationSettings
from latchkey.features.imports import IMPORTS
from latchkey.features.introspection import INTROSPECTION
from latchkey.features.metadata import METADATA
from latchkey.features.passwords import PASSWORDS
from latchkey.features.passwords.settings import PasswordSettings
from latchkey.features.registration import REGISTRATION
from latchkey.features.registration.settings import RegistrationSettings
from latchkey.features.revocations import REVOCATIONS
from latchkey.features.sign_in import SIGN_IN
from latchkey.features.sign_in.settings import SignInSettings
from latchkey.features.signing_keys import SIGNING_KEYS
from latchkey.features.signing_keys.settings import SigningKeySettings
from latchkey.features.user_administration import USER_ADMINISTRATION

FEATURES = (
    PLATFORM,
    SIGN_IN,
    EMAIL_VERIFICATION,
    PASSWORDS,
    REGISTRATION,
    ACCOUNTS,
    METADATA,
    IMPORTS,
    SIGNING_KEYS,
    API_KEYS,
    ADMIN_ACCESS,
    USER_ADMINISTRATION,
    AUDIT_LOG,
    API_KEY_ADMINISTRATION,
    IMPERSONATION,
    INTROSPECTION,
    REVOCATIONS,
    FORWARD_AUTH,
    HEALTH,
    FRONT_PAGE,
    BROWSER_CLIENT,
)

MAIL_KINDS = tuple(kind for feature in FEATURES for kind in feature.mails)

SCOPES = tuple(scope.value for feature in FEATURES for scope in feature.scopes or ())
"""What an API key may be allowed to do."""

ACTIONS = tuple(sorted(action.value for feature in FEATURES for action in feature.actions or ()))
"""What the audit log records."""


class Settings(
    ForwardAuthSettings,
    SigningKeySettings,
    ImpersonationSettings,
    AdminAccessSettings,
    ApiKeySettings,
    AccountSettings,
    RegistrationSettings,
    PasswordSettings,
    EmailVerificationSettings,
    SignInSettings,
    PlatformSettings,
):
    """All settings: the platform's and every feature's, under flat names."""


def wire(platform: Platform, settings: Settings) -> tuple[Contribution, ...]:
    """Builds every feature of a process, in the order of their endpoints in the OpenAPI document."""
    # Imported here: the command line needs only the table above and starts fast.
    from latchkey.features.accounts.wiring import wire_accounts
    from latchkey.features.admin_access.wiring import wire_admin_access
    from latchkey.features.api_key_administration.wiring import wire_api_key_administration
    from latchkey.features.api_keys.wiring import wire_api_keys
    from latchkey.features.audit_log.wiring import wire_audit_log
    from latchkey.features.browser_client.wiring import wire_browser_client
    from latchkey.features.email_verification.wiring import wire_email_verification
    from latchkey.features.forward_auth.wiring import wire_forward_auth
    from latchkey.features.front_page.wiring import wire_front_page
    from latchkey.features.health.wiring import wire_health
    from latchkey.features.impersonation.wiring import wire_impersonation
    from latchkey.features.introspection.wiring import wire_introspection
    from latchkey.features.metadata.wiring import wire_metadata
    from latchkey.features.passwords.wiring import wire_passwords
    from latchkey.features.registration.wiring import wire_registration
    from latchkey.features.revocations.wiring import wire_revocations
    from latchkey.features.sign_in.wiring import wire_sign_in
    from latchkey.features.signing_keys.wiring import wire_signing_keys
    from latchkey.features.user_administration.wiring import wire_user_administration

    email_verification = wire_email_verification(platform, settings)
    sign_in = wire_sign_in(platform, settings, steps=(email_verification.step,))
    passwords = wire_passwords(platform, settings, sign_in)
    registration = wire_registration(platform, settings, passwords, email_verification)
    accounts = wire_accounts(platform, settings, email_verification)
    api_keys = wire_api_keys(platform, settings)
    access = wire_admin_access(platform, settings, api_keys.guards)
    return (
        registration.contribution,
        sign_in.contribution,
        passwords.contribution,
        email_verification.contribution,
        accounts,
        wire_metadata(platform),
        wire_signing_keys(platform, settings),
        api_keys.contribution,
        wire_introspection(platform, api_keys.guards),
        wire_revocations(platform, api_keys.guards),
        wire_forward_auth(platform, settings),
        wire_user_administration(platform, access, registration, email_verification),
        wire_audit_log(platform, access),
        wire_api_key_administration(platform, access, SCOPES),
        wire_impersonation(platform, settings, access, sign_in.door),
        wire_health(platform),
        wire_front_page(platform),
        wire_browser_client(),
    )
