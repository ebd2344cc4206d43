"""Assembles e-mail verification."""

from dataclasses import dataclass
from pathlib import Path

from latchkey.feature import Contribution, Platform
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.email_verification.endpoints import verification_endpoints
from latchkey.features.email_verification.errors import EmailNotVerified
from latchkey.features.email_verification.mails import CONFIRM_MAIL, EMAIL_CHANGED_NOTICE, VERIFY_MAIL
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.features.email_verification.verification import EmailVerification
from latchkey.features.sign_in.steps import Candidate, Step
from latchkey.http.link_pages import link_page_endpoints
from latchkey.mail.notices import compose_notice

PAGE = Path(__file__).parent / "pages" / "verify-email.html"


@dataclass(frozen=True, slots=True)
class EmailVerificationParts:
    """What other features use, the step that sign-in must pass, and the contribution to the process."""

    address_change: AddressChange
    step: Step
    contribution: Contribution


def wire_email_verification(platform: Platform, settings: EmailVerificationSettings) -> EmailVerificationParts:
    """Wires verification links, their mails and their page."""
    address_change = AddressChange.of(settings, platform.outbox)
    verification = EmailVerification(
        database=platform.database,
        audit=platform.audit,
        outbox=platform.outbox,
        address_change=address_change,
        page_url=settings.verify_page(platform.settings.base_url()),
    )

    async def meets_requirement(candidate: Candidate) -> bool:
        return candidate.email_verified or not settings.require_verified_email

    page = link_page_endpoints("/verify-email", PAGE, settings=platform.settings, summary="Confirm your e-mail address")
    return EmailVerificationParts(
        address_change,
        Step(meets_requirement, EmailNotVerified, reason="email not verified"),
        Contribution(
            endpoints=(*verification_endpoints(verification), *page),
            composers={
                VERIFY_MAIL.name: verification.compose,
                CONFIRM_MAIL.name: verification.compose_change,
                EMAIL_CHANGED_NOTICE.name: compose_notice,
            },
        ),
    )
