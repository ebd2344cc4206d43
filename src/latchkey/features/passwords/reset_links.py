"""Reset links, which a mail carries or an operator hands over. The holder can set a new password once."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from latchkey.audit.event import Event
from latchkey.audit.record import Change
from latchkey.features.passwords import queries
from latchkey.features.passwords.actions import PasswordAction
from latchkey.origin import Origin
from latchkey.sessions.tokens import token_hash
from latchkey.users.user import User

RESET_TOKEN_BYTES = 32
RESET_TOKEN_MINUTES = 15


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link that works once, and its account. `url` is a secret."""

    user_id: int
    name: str
    email: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLinks:
    """Makes reset links. `page_url` is the page that they open; it never comes from a request."""

    page_url: str

    async def make(self, change: Change, email: str, origin: Origin, *, token: str | None = None) -> ResetLink | None:
        """Makes a link for the live user with that address (lower case), and ends an earlier one; None if none has it.

        `token` is the mail's token: 32 unguessable bytes in hex. None: makes a random one for an operator to hand over.
        Writes the audit row without an actor, because the caller is not authenticated.
        """
        mailed = token is not None
        token = token or secrets.token_hex(RESET_TOKEN_BYTES)
        user = await queries.set_reset_token(
            change.connection, email, reset_token_hash(token), RESET_TOKEN_MINUTES, mailed=mailed
        )
        if user is None:
            return None
        await change.record(Event(PasswordAction.FORGOT_PASSWORD, None, user.id, origin))
        return self._link(user, token)

    async def renew(
        self, change: Change, tokens: Iterable[str], *, minutes: int = RESET_TOKEN_MINUTES
    ) -> ResetLink | None:
        """Makes the link of that one of these tokens again that is current, valid for all its minutes.

        None if the token is spent or replaced.
        """
        tokens_by_hash = {reset_token_hash(token): token for token in tokens}
        renewed = await queries.renew_reset_token(change.connection, list(tokens_by_hash), minutes)
        if renewed is None:
            return None
        user, renewed_hash = renewed
        return self._link(user, tokens_by_hash[renewed_hash])

    async def invite(self, change: Change, email: str, *, token: str, minutes: int) -> ResetLink | None:
        """Makes the link of an invitation, as `make` does with a token. Writes no audit row."""
        user = await queries.set_reset_token(change.connection, email, reset_token_hash(token), minutes, mailed=True)
        return None if user is None else self._link(user, token)

    def _link(self, user: User, token: str) -> ResetLink:
        # A fragment, behind `#`, reaches no server and no log.
        return ResetLink(user.id, user.name, user.email, f"{self.page_url}#token={token}")


def reset_token_hash(token: str) -> str:
    """Returns the token's SHA-256 in hex, the format of node-api-postgres. 256 random bits need no slow hash."""
    return token_hash(token).hex()
