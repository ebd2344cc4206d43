"""Opens a session in the transaction of the sign-in.

Only the door (`features/sign_in/door.py`) imports this module, and `make check` enforces it: no other code makes a
`Cleared`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from latchkey.audit.record import Change
from latchkey.clock import SECONDS_A_DAY, Clock
from latchkey.origin import Origin
from latchkey.sessions import queries
from latchkey.sessions.carriage import Carriage
from latchkey.sessions.claims import AccessClaims
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.standing import Acting, Standing
from latchkey.sessions.tokens import TokenPair, Tokens, token_hash


@dataclass(frozen=True, slots=True)
class Cleared:
    """A user who may have a session: all conditions are met, in the transaction that holds the lock of their row.

    `standing` is what the locked row says, `amr` how the user has authenticated (RFC 8176). `acting` is the
    administrator who acts for the user in the session.
    """

    user_id: int
    standing: Standing
    amr: tuple[str, ...]
    acting: Acting | None = None


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

    async def open(
        self, change: Change, cleared: Cleared, origin: Origin, *, carriage: Carriage, device: str | None
    ) -> TokenPair:
        """Inserts a session of the user whose row `change` has locked, exclusively if there is a limit.

        Returns its tokens, which the client gets after the commit. `device` is the name of the origin's user agent,
        looked up before the transaction.
        """
        acting = cleared.acting
        cap = self.clock() + (acting.seconds if acting else self.max_days * SECONDS_A_DAY)
        refresh = self.tokens.first(
            cleared.user_id, uuid4(), transport=carriage.transport, remember=carriage.remember, not_after=cap
        )
        # It is no session of the user's own, so it does not end one.
        if self.limit is not None and acting is None:
            await self.ender.end_oldest(change, cleared.user_id, leaving=self.limit - 1)
        auth_time = await queries.insert(
            change.connection,
            refresh,
            token_hash(refresh.token),
            cleared.amr,
            datetime.fromtimestamp(cap, UTC),
            origin,
            device,
        )
        if acting:
            await queries.set_actor(change.connection, refresh.session_id, acting.admin_id)
        standing = cleared.standing
        access = AccessClaims(
            standing.role, cleared.amr, auth_time, acting.admin_id if acting else None, app=standing.app
        )
        return self.tokens.pair(refresh, access, self.tokens.signer())
