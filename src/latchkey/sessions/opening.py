"""Opening a session, inside the transaction of whatever earned it."""

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
class OpenedSession:
    """A new session and the tokens that its browser gets once the transaction has committed."""

    id: UUID
    pair: TokenPair


class SessionOpener:
    """Opens sessions that end after `max_days`, however often they are refreshed. With a `limit`, a user's oldest
    session gives way to one too many."""

    def __init__(self, tokens: Tokens, clock: Clock, ender: SessionEnder, *, max_days: int, limit: int | None) -> None:
        self._tokens = tokens
        self._ender = ender
        self._clock = clock
        self._max_seconds = max_days * SECONDS_A_DAY
        self._limit = limit

    @property
    def limited(self) -> bool:
        """Whether there is a limit: two logins of one user must then come one after the other, or each would leave room
        for itself alone."""
        return self._limit is not None

    async def open(self, change: Change, user_id: int, origin: Origin) -> OpenedSession:
        """Inserts a session of that user. The caller vouches that the user may sign in (contract, section 6), and holds
        the lock of the user's row, for itself alone if `limited`."""
        session_id = uuid4()
        cap = self._clock() + self._max_seconds
        pair = self._tokens.mint(user_id, session_id, not_after=cap)
        expires_at = datetime.fromtimestamp(cap, UTC)
        if self._limit is not None:
            await self._ender.end_oldest(change, user_id, leaving=self._limit - 1)
        await queries.insert(change.connection, session_id, user_id, token_hash(pair.refresh), expires_at, origin)
        return OpenedSession(session_id, pair)
