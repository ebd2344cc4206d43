"""Reset links: what a mail carries, or an operator hands over. Whoever has one may set a new password, once."""

import hashlib
import secrets
from dataclasses import dataclass, field

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import Change
from latchkey.http.exchange import Origin
from latchkey.users import queries

RESET_TOKEN_BYTES = 32
RESET_TOKEN_MINUTES = 15


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link that works once, for 15 minutes, and the account that it is for. `url` is a secret."""

    user_id: int
    email: str
    url: str = field(repr=False)


class ResetLinks:
    """Makes reset links. `base_url` is where they point: never taken from a request."""

    def __init__(self, *, base_url: str) -> None:
        self._base_url = base_url

    async def make(self, change: Change, email: str, origin: Origin) -> ResetLink | None:
        """A link for the live user with that address (lower case), which ends an earlier one; None: there is none.

        Writes the audit row, without an actor: nobody has proved who they are.
        """
        token = secrets.token_hex(RESET_TOKEN_BYTES)
        user = await queries.set_reset_token(change.connection, email, reset_token_hash(token), RESET_TOKEN_MINUTES)
        if user is None:
            return None
        await change.record(Event(Action.FORGOT_PASSWORD, None, user.id, origin))
        # Behind `#`: a fragment reaches no server and no log (contract, section 5).
        return ResetLink(user.id, user.email, f"{self._base_url}/reset-password#token={token}")


def reset_token_hash(token: str) -> str:
    """SHA-256 in hex, as the original stored it; the token has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
