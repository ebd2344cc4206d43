"""The door: opens every session. It checks the steps of a sign-in, then opens and records it in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from latchkey.audit.actor import Actor
from latchkey.audit.event import Event
from latchkey.audit.record import AuditLog, Change
from latchkey.feature import Platform
from latchkey.features.sign_in import queries
from latchkey.features.sign_in.actions import SignInAction
from latchkey.features.sign_in.errors import AccountSuspended
from latchkey.features.sign_in.mails import NEW_DEVICE_NOTICE
from latchkey.features.sign_in.steps import Candidate, Step
from latchkey.http.authenticate import Principal
from latchkey.http.request_kind import Transport
from latchkey.mail.outbox import Outbox
from latchkey.origin import Origin
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.carriage import Carriage
from latchkey.sessions.devices import name_device
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.errors import AccessTokenInvalid
from latchkey.sessions.opening import Cleared, SessionOpener
from latchkey.sessions.queries import EndedBy, EndedSession, ProvenSessions
from latchkey.sessions.standing import Acting, Standing
from latchkey.sessions.tokens import TokenPair
from latchkey.users.queries import takes_notices
from latchkey.users.user import User

RecogniseDevice = Callable[[int], str | None]
"""The id of the requesting device, if it has signed in to this account with credentials of that generation."""


@dataclass(frozen=True, slots=True)
class Visit:
    """The circumstances of a sign-in. A new session ends `replaces`, the client's current sessions."""

    recognise_device: RecogniseDevice
    replaces: ProvenSessions
    carriage: Carriage
    origin: Origin


class LockUser(Protocol):
    """Locks the user's row in the door's transaction and returns what it says.

    None if the proof no longer holds: a reset, a change or a deletion in between wins.
    """

    def __call__(self, change: Change, *, exclusively: bool) -> Awaitable[Standing | None]: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """The account that a request has proved to own, by the methods `amr` (RFC 8176)."""

    candidate: Candidate
    amr: tuple[str, ...]
    lock_user: LockUser


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The signed-in user, the generation of their credentials, and the tokens of the new session."""

    user: User
    generation: int
    pair: TokenPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Signs users in: checks the steps, then opens and records the session in one transaction."""

    audit: AuditLog
    opener: SessionOpener
    ender: SessionEnder
    outbox: Outbox
    steps: tuple[Step, ...]
    new_device_mail: bool

    async def enter(self, proof: Proof, visit: Visit) -> SignedIn | None:
        """Opens a session for a proved account. None if the proof no longer holds.

        Raises the refusal of the first failed step, or AccountSuspended. Records each failure as LOGIN_FAILED.
        """
        user = proof.candidate.user
        for step in self.steps:
            if not await step.is_met(proof.candidate):
                await self.record_failure(user.id, visit.origin, reason=step.reason)
                raise step.refusal
        # Before the transaction, which waits for the database only.
        device = await name_device(visit.origin.user_agent)
        details = self._new_device(proof.candidate, visit, device)

        async def open_session(change: Change) -> SignedIn | None:
            standing = await proof.lock_user(change, exclusively=self.opener.is_limited)
            if standing is None:
                return None
            if standing.is_suspended:
                raise AccountSuspended
            ended = await self.ender.end_proven(change, visit.replaces, EndedBy.LOGIN) if visit.replaces else []
            cleared = Cleared(user.id, standing, proof.amr)
            pair = await self.opener.open(change, cleared, visit.origin, carriage=visit.carriage, device=device)
            session_id = pair.refresh.session_id
            if (
                details
                and await queries.is_older_than_a_day(change.connection, user.id)
                and await takes_notices(change.connection, user.id)
            ):
                await self.outbox.notify(
                    change, NEW_DEVICE_NOTICE.name, user.email, visit.origin, user_id=user.id, details=details
                )
            how = {"transport": visit.carriage.transport.value, "amr": list(proof.amr)}
            await change.record(Event(SignInAction.LOGIN, user.id, user.id, visit.origin, session_id, details=how))
            await record_replaced(change, ended, Actor(user_id=user.id, session_id=session_id, origin=visit.origin))
            return SignedIn(user, proof.candidate.generation, pair)

        try:
            signed_in = await self.audit.change(open_session)
        except AccountSuspended:
            await self.record_failure(user.id, visit.origin, reason="suspended")
            raise
        if signed_in is None:
            await self.record_failure(user.id, visit.origin)
        return signed_in

    async def reopen(
        self,
        change: Change,
        principal: Principal,
        standing: Standing,
        origin: Origin,
        *,
        remember: bool,
        device: str | None,
    ) -> TokenPair:
        """Opens another session for a signed-in user, in the transaction that ended their sessions and locked their
        row, which says `standing`.

        This is not a sign-in, so no step is asked and nothing is recorded. `device` is the name of the origin's user
        agent, looked up before. Raises AccessTokenInvalid if the user has been suspended meanwhile.
        """
        if standing.is_suspended:
            raise AccessTokenInvalid
        cleared = Cleared(principal.user_id, standing, principal.amr)
        carriage = Carriage(principal.transport, remember)
        return await self.opener.open(change, cleared, origin, carriage=carriage, device=device)

    async def impersonate(
        self,
        change: Change,
        user: User,
        standing: Standing,
        acting: Acting,
        replaces: ProvenSessions,
        origin: Origin,
        *,
        device: str | None,
    ) -> tuple[TokenPair, list[EndedSession]]:
        """Opens a session in which an administrator acts for a user, in the transaction that has locked both rows.

        Ends the administrator's own session, and returns what has ended. This is no sign-in of the user: no step is
        asked, nobody is notified, and the caller records it.
        """
        ended = await self.ender.end_proven(change, replaces, EndedBy.IMPERSONATION)
        cleared = Cleared(user.id, standing, (), acting)
        carriage = Carriage(Transport.COOKIE, remember=False)
        return await self.opener.open(change, cleared, origin, carriage=carriage, device=device), ended

    async def record_failure(self, user_id: int | None, origin: Origin, *, reason: str | None = None) -> None:
        """Writes a LOGIN_FAILED row about that user; None: no account has the address."""
        details = {"reason": reason} if reason else {}

        async def record(change: Change) -> None:
            # The request has proved no user, so the row has no actor.
            await change.record(Event(SignInAction.LOGIN_FAILED, None, user_id, origin, details=details))

        await self.audit.change(record)

    def _new_device(self, candidate: Candidate, visit: Visit, name: str | None) -> dict[str, str] | None:
        """Returns what a notice says of the device; None: no notice."""
        if not self.new_device_mail or visit.recognise_device(candidate.generation) is not None:
            return None
        return {"device": name or "an unknown device"}


async def record_replaced(change: Change, ended: list[EndedSession], actor: Actor) -> None:
    """Writes a row for each session that a new one replaces. It is about the session's user, who may be another one."""
    for each in ended:
        details = {"revoked": [str(each.id)]}
        await change.record(actor.event(SessionAction.SESSION_REVOKED, each.user_id, details=details))


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
