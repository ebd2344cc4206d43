"""Reset links: what a mail carries, or an operator hands over. Whoever has one may set a new password, once."""

import secrets
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
    """A link that works once, and the account that it is for. `url` is a secret."""

    user_id: int
    name: str
    email: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLinks:
    """Makes reset links. `page_url` is where they point: never taken from a request."""

    page_url: str

    async def make(self, change: Change, email: str, origin: Origin, *, token: str | None = None) -> ResetLink | None:
        """A link for the live user with that address (lower case), which ends an earlier one; None: there is none.

        `token` is 32 bytes in hex that nobody can guess, for a mail; None: random ones, to be handed over. Writes the
        audit row, without an actor: nobody has proved who they are.
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

    async def renew(self, change: Change, token: str, *, minutes: int = RESET_TOKEN_MINUTES) -> ResetLink | None:
        """The link made with that token once more, with all of its minutes; None: it is spent, or not the newest."""
        user = await queries.renew_reset_token(change.connection, reset_token_hash(token), minutes)
        return None if user is None else self._link(user, token)

    async def invite(self, change: Change, email: str, *, token: str, minutes: int) -> ResetLink | None:
        """As `make` with a token, for somebody whose account has just been made by an operator: no audit row."""
        user = await queries.set_reset_token(change.connection, email, reset_token_hash(token), minutes, mailed=True)
        return None if user is None else self._link(user, token)

    def _link(self, user: User, token: str) -> ResetLink:
        # Behind `#`: a fragment reaches no server and no log.
        return ResetLink(user.id, user.name, user.email, f"{self.page_url}#token={token}")


def reset_token_hash(token: str) -> str:
    """As `token_hash`, in hex, as node-api-postgres stored it; the token has 256 random bits, so no slow hash is needed."""
    return token_hash(token).hex()
