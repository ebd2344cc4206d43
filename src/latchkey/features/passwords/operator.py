"""A reset link that an operator makes and hands over, for instances without mail."""

import sys

from latchkey.audit.record import Change
from latchkey.feature import PlatformSettings
from latchkey.features.passwords.reset_links import RESET_TOKEN_MINUTES, ResetLink, ResetLinks
from latchkey.features.passwords.settings import PasswordSettings
from latchkey.terminal.accounts import find_live, named
from latchkey.terminal.failing import fail
from latchkey.terminal.operation import COMMAND_LINE, Operation, operate
from latchkey.terminal.output import print_json, print_line


class Settings(PasswordSettings, PlatformSettings):
    """Settings that this command reads."""


def print_reset_link(who: str, *, as_json: bool) -> None:
    """Prints a link that sets a new password for a live account."""

    async def make(operation: Operation[Settings]) -> ResetLink:
        settings = operation.settings
        if not settings.development and not (settings.public_url or settings.reset_url):
            fail("PUBLIC_URL is not set: the link would point to this machine")
        account = await find_live(who, operation)
        links = ResetLinks(page_url=settings.reset_page(settings.base_url()))

        async def make_link(change: Change) -> ResetLink | None:
            return await links.make(change, account.email.lower(), COMMAND_LINE)

        link = await operation.audit.change(make_link)
        if link is None:
            fail(f"{named(account)} was deleted or changed its address at this moment: try again")
        return link

    link = operate(Settings, make)
    if as_json:
        expires = RESET_TOKEN_MINUTES * 60
        print_json({"user_id": link.user_id, "email": link.email, "url": link.url, "expires_in_seconds": expires})
        return
    print_line(link.url)
    sys.stderr.write(
        f"The link sets the password of user {link.user_id}, {link.email}, once, within {RESET_TOKEN_MINUTES} minutes."
        " Earlier links no longer work.\n"
    )
