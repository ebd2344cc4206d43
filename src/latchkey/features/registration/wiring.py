"""Assembles registration."""

from dataclasses import dataclass

from latchkey.feature import Contribution, Platform
from latchkey.features.email_verification.wiring import EmailVerificationParts
from latchkey.features.passwords.wiring import PasswordParts
from latchkey.features.registration.endpoints import register_endpoint
from latchkey.features.registration.invitation import Invitations
from latchkey.features.registration.mails import INVITATION_MAIL
from latchkey.features.registration.registration import AccountCreation
from latchkey.features.registration.settings import RegistrationSettings


@dataclass(frozen=True, slots=True)
class RegistrationParts:
    """What other features use, and the contribution to the process."""

    creation: AccountCreation
    password_min: int
    contribution: Contribution


def wire_registration(
    platform: Platform,
    settings: RegistrationSettings,
    passwords: PasswordParts,
    email_verification: EmailVerificationParts,
) -> RegistrationParts:
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
    contribution = Contribution(endpoints=(endpoint,), composers={INVITATION_MAIL.name: invitations.compose})
    return RegistrationParts(creation, passwords.min_length, contribution)
