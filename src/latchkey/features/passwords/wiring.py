"""Assembles passwords."""

from dataclasses import dataclass
from pathlib import Path

from latchkey.feature import Contribution, Platform
from latchkey.features.passwords.change import PasswordChanger
from latchkey.features.passwords.endpoints import password_endpoints
from latchkey.features.passwords.mails import PASSWORD_CHANGED_NOTICE, RESET_MAIL
from latchkey.features.passwords.recovery import Recovery
from latchkey.features.passwords.reset_links import ResetLinks
from latchkey.features.passwords.settings import PasswordSettings
from latchkey.features.sign_in.wiring import SignInParts
from latchkey.http.link_pages import link_page_endpoints
from latchkey.mail.notices import compose_notice

PAGE = Path(__file__).parent / "pages" / "reset-password.html"


@dataclass(frozen=True, slots=True)
class PasswordParts:
    """What other features use, and the contribution to the process."""

    links: ResetLinks
    min_length: int
    contribution: Contribution


def wire_passwords(platform: Platform, settings: PasswordSettings, sign_in: SignInParts) -> PasswordParts:
    """Wires password change, recovery by mail, and the page that sets a new password."""
    links = ResetLinks(page_url=settings.reset_page(platform.settings.base_url()))
    changer = PasswordChanger(
        database=platform.database,
        audit=platform.audit,
        hasher=platform.hasher,
        throttle=sign_in.throttle,
        door=sign_in.door,
        ender=platform.ender,
        outbox=platform.outbox,
    )
    recovery = Recovery(
        database=platform.database,
        audit=platform.audit,
        hasher=platform.hasher,
        throttle=sign_in.throttle,
        outbox=platform.outbox,
        links=links,
        ender=platform.ender,
    )
    endpoints = password_endpoints(
        changer,
        recovery,
        sign_in.devices,
        platform.presented_sessions,
        platform.cookies,
        platform.guards.signed_in,
        min_length=settings.password_min_length,
    )
    page = link_page_endpoints("/reset-password", PAGE, settings=platform.settings, summary="Set a new password")
    return PasswordParts(
        links,
        settings.password_min_length,
        Contribution(
            endpoints=(*endpoints, *page),
            composers={RESET_MAIL.name: recovery.compose, PASSWORD_CHANGED_NOTICE.name: compose_notice},
        ),
    )
