"""Opens a session in the transaction of the sign-in.

Only the door (`features/sign_in/door.py`) imports this module, and `make check` enforces it: no other code makes a
`Cleared`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from latchkey.audit.record import Change
from latchkey.clock import Clock
from latchkey.origin import Origin
from latchkey.sessions import queries
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.tokens import TokenPair, Tokens, token_hash

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Cleared:
    """A user who may have a session: all conditions are met, in the transaction that holds the lock of their row."""

    user_id: int


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the tokens that its browser gets after the commit."""

    id: UUID
    pair: TokenPair


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpener:
    """Opens sessions that end after `max_days`, even if they are refreshed.

    A login above `limit` ends the user's oldest session; None: no limit.
    """

    tokens: Tokens
    clock: Clock
    ender: SessionEnder
    max_days: int
    limit: int | None

    @property
    def is_limited(self) -> bool:
        """Tells whether the number of sessions is limited.

        Two logins of one user must then run one after the other, or each would make room for itself alone.
        """
        return self.limit is not None

    async def open(self, change: Change, cleared: Cleared, origin: Origin, *, device: str | None) -> OpenedSession:
        """Inserts a session of the user whose row `change` has locked, exclusively if there is a limit.

        `device` is the name of the origin's user agent, looked up before the transaction.
        """
        session_id = uuid4()
        cap = self.clock() + self.max_days * SECONDS_A_DAY
        pair = self.tokens.mint(cleared.user_id, session_id, not_after=cap)
        if self.limit is not None:
            await self.ender.end_oldest(change, cleared.user_id, leaving=self.limit - 1)
        await queries.insert(
            change.connection,
            session_id,
            cleared.user_id,
            token_hash(pair.refresh),
            datetime.fromtimestamp(pair.issued_at, UTC),
            datetime.fromtimestamp(pair.expires_at, UTC),
            datetime.fromtimestamp(cap, UTC),
            origin,
            device,
        )
        return OpenedSession(session_id, pair)
