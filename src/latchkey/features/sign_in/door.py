"""The door: every sign-in ends here, whatever proved it. Nothing else opens sessions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.feature import Platform
from latchkey.features.sign_in import queries
from latchkey.features.sign_in.actions import SignInAction
from latchkey.features.sign_in.mails import NEW_DEVICE_NOTICE
from latchkey.features.sign_in.steps import Candidate, Step
from latchkey.http.authenticate import Principal
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.devices import name_device
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.opening import Cleared, SessionOpener
from latchkey.sessions.queries import EndedBy, ProvenSessions
from latchkey.sessions.tokens import TokenPair
from latchkey.users.queries import takes_notices
from latchkey.users.user import User

KnownDevice = Callable[[int], str | None]
"""The id of the device that asks, if it has signed in to this account with credentials of that generation."""


@dataclass(frozen=True, slots=True)
class Visit:
    """How somebody comes to the door. `replaces` are the sessions that the browser is in, which a new one ends."""

    known_device: KnownDevice
    replaces: ProvenSessions
    origin: Origin


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose account somebody has proved to be theirs.

    `still_holds` locks the user's row in the door's transaction and says whether the proof is still good: a reset, a
    change or a deletion in between wins. `alone`: nobody else may get a lock of the row meanwhile.
    """

    candidate: Candidate
    still_holds: Callable[[Change, bool], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, with credentials of which generation, and the tokens of the new session."""

    user: User
    generation: int
    pair: TokenPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets people in: the steps, then one transaction that opens the session and records it."""

    audit: AuditLog
    opener: SessionOpener
    ender: SessionEnder
    outbox: Outbox
    steps: tuple[Step, ...]
    new_device_mail: bool

    async def enter(self, proof: Proof, visit: Visit) -> SignedIn | None:
        """Opens a session for someone whose proof was good; None if the proof does not hold any more.

        Raises the refusal of the first step that is not met, recorded as LOGIN_FAILED with its reason.
        """
        user = proof.candidate.user
        for step in self.steps:
            if not await step.is_met(proof.candidate):
                await self.record_failure(user.id, visit.origin, reason=step.reason)
                raise step.refusal
        # Before the transaction, which waits for nothing but the database.
        device = await name_device(visit.origin.user_agent)
        details = self._new_device(proof.candidate, visit, device)

        async def open_session(change: Change) -> SignedIn | None:
            if not await proof.still_holds(change, self.opener.is_limited):
                return None
            ended = await self.ender.end_proven(change, visit.replaces, EndedBy.LOGIN) if visit.replaces else []
            session = await self.opener.open(change, Cleared(user.id), visit.origin, device=device)
            if (
                details
                and await queries.is_older_than_a_day(change.connection, user.id)
                and await takes_notices(change.connection, user.id)
            ):
                await self.outbox.notify(
                    change, NEW_DEVICE_NOTICE.name, user.email, visit.origin, user_id=user.id, details=details
                )
            await change.record(Event(SignInAction.LOGIN, user.id, user.id, visit.origin, session.id))
            for each in ended:
                # About its owner, who may be somebody else.
                revoked = {"revoked": [str(each.id)]}
                await change.record(
                    Event(
                        SessionAction.SESSION_REVOKED, user.id, each.user_id, visit.origin, session.id, details=revoked
                    )
                )
            return SignedIn(user, proof.candidate.generation, session.pair)

        return await self.audit.change(open_session)

    async def reopen(self, change: Change, principal: Principal, origin: Origin, *, device: str | None) -> TokenPair:
        """Opens another session for someone who is signed in, in the transaction that has ended their sessions and holds
        the lock of their row. It is no new sign-in: nothing is recorded. `device` is the name of the origin's user agent,
        looked up before."""
        session = await self.opener.open(change, Cleared(principal.user_id), origin, device=device)
        return session.pair

    async def record_failure(self, user_id: int | None, origin: Origin, *, reason: str | None = None) -> None:
        """Writes a LOGIN_FAILED row about that user; None: there is no such account."""
        details = {"reason": reason} if reason else {}

        async def record(change: Change) -> None:
            # Nobody has signed in, so there is no actor.
            await change.record(Event(SignInAction.LOGIN_FAILED, None, user_id, origin, details=details))

        await self.audit.change(record)

    def _new_device(self, candidate: Candidate, visit: Visit, name: str | None) -> dict[str, str] | None:
        """What a notice says of the device; None when there is nothing to say."""
        if not self.new_device_mail or visit.known_device(candidate.generation) is not None:
            return None
        return {"device": name or "an unknown device"}


def build_door(platform: Platform, *, steps: tuple[Step, ...], new_device_mail: bool) -> Door:
    """Builds the door with its steps, in order."""
    opener = SessionOpener(
        tokens=platform.tokens,
        clock=platform.clock,
        ender=platform.ender,
        max_days=platform.settings.session_max_days,
        limit=platform.settings.session_limit or None,
    )
    return Door(
        audit=platform.audit,
        opener=opener,
        ender=platform.ender,
        outbox=platform.outbox,
        steps=steps,
        new_device_mail=new_device_mail,
    )
