"""Invitations: the mail that lets a user choose the first password of an account that an operator created."""

from dataclasses import dataclass

from latchkey.audit.record import Change
from latchkey.features.passwords.reset_links import ResetLinks
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry

INVITATION_HOURS = 72
INVITATION_MINUTES = INVITATION_HOURS * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """Composes invitations."""

    links: ResetLinks

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the invitation letter; None when the invitation was accepted or replaced."""
        if entry.token_made:
            link = await self.links.renew(change, entry.token, minutes=INVITATION_MINUTES)
        else:
            link = await self.links.invite(change, entry.recipient, token=entry.token, minutes=INVITATION_MINUTES)
        if link is None:
            return None
        context = {"email": link.email, "link": link.url, "hours": str(INVITATION_HOURS)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)
