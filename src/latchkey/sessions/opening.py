"""Opening a session, inside the transaction of whatever earned it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from latchkey.audit.record import Change
from latchkey.clock import Clock
from latchkey.http.exchange import Origin
from latchkey.sessions import queries
from latchkey.sessions.cookies import TokenPair
from latchkey.sessions.tokens import TokenKind, Tokens, token_hash

SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session and the tokens that its browser gets once the transaction has committed."""

    id: UUID
    pair: TokenPair


class SessionOpener:
    """Opens sessions that end after `max_days`, however often they are refreshed."""

    def __init__(self, tokens: Tokens, clock: Clock, *, max_days: int) -> None:
        self._tokens = tokens
        self._clock = clock
        self._max_seconds = max_days * SECONDS_A_DAY

    async def open(self, change: Change, user_id: int, origin: Origin) -> OpenedSession:
        """Inserts a session of that user. The caller vouches that the user may sign in (contract, section 6)."""
        session_id = uuid4()
        cap = self._clock() + self._max_seconds
        pair = TokenPair(
            access=self._tokens.mint(TokenKind.ACCESS, user_id, session_id, not_after=cap),
            refresh=self._tokens.mint(TokenKind.REFRESH, user_id, session_id, not_after=cap),
        )
        expires_at = datetime.fromtimestamp(cap, UTC)
        await queries.insert(change.connection, session_id, user_id, token_hash(pair.refresh), expires_at, origin)
        return OpenedSession(session_id, pair)
