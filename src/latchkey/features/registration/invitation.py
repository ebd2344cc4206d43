"""Invitations: the mail that lets a user choose the first password of an account that an operator created."""

from dataclasses import dataclass

from latchkey.audit.record import Change
from latchkey.features.passwords.reset_links import ResetLinks
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry, Outbox
from latchkey.users.queries import lock

INVITATION_HOURS = 72
INVITATION_MINUTES = INVITATION_HOURS * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """Composes invitations."""

    links: ResetLinks
    outbox: Outbox

    async def compose(self, change: Change, entry: Entry) -> Letter | None:
        """Returns the invitation letter; None if the invitation was accepted or replaced, or the mail limit is
        reached."""
        if entry.token_made:
            link = await self.links.renew(change, entry.tokens, minutes=INVITATION_MINUTES)
        elif await self._may_be_invited(change, entry):
            link = await self.links.invite(change, entry.recipient, token=entry.tokens[0], minutes=INVITATION_MINUTES)
        else:
            link = None
        if link is None:
            return None
        context = {"email": link.email, "link": link.url, "hours": str(INVITATION_HOURS)}
        return Letter(link.email, context, user_id=link.user_id, carries_token=True)

    async def _may_be_invited(self, change: Change, entry: Entry) -> bool:
        assert entry.user_id is not None, "queued with its user, by the change that created the account"
        # Locks the user, so that two instances do not both send the last permitted mail of the hour.
        user = await lock(change.connection, entry.user_id)
        return user is not None and await self.outbox.may_send_link(change, entry.kind, user.id, entry.recipient)
