"""Assembles registration."""

from latchkey.feature import Contribution, Platform
from latchkey.features.email_verification.wiring import EmailVerificationParts
from latchkey.features.passwords.wiring import PasswordParts
from latchkey.features.registration.endpoints import register_endpoint
from latchkey.features.registration.invitation import Invitations
from latchkey.features.registration.mails import INVITATION_MAIL
from latchkey.features.registration.registration import AccountCreation
from latchkey.features.registration.settings import RegistrationSettings


def wire_registration(
    platform: Platform,
    settings: RegistrationSettings,
    passwords: PasswordParts,
    email_verification: EmailVerificationParts,
) -> Contribution:
    """Wires registration and invitations."""
    creation = AccountCreation(
        audit=platform.audit,
        hasher=platform.hasher,
        outbox=platform.outbox,
        require_verified_email=email_verification.address_change.require_verified_email,
    )
    invitations = Invitations(links=passwords.links, outbox=platform.outbox)
    endpoint = register_endpoint(
        creation,
        is_open=settings.registration == "open",
        password_min=passwords.min_length,
        name_min=platform.settings.name_min_length,
    )
    return Contribution(endpoints=(endpoint,), composers={INVITATION_MAIL.name: invitations.compose})
