"""PATCH /admin/users/:id: changes fields, metadata, claims and the role of a user in one transaction."""

from dataclasses import dataclass, replace

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.accounts.deletion import require_usable_admin
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.metadata import queries as metadata_queries
from latchkey.features.metadata.rules import SERVERS_MAX_BYTES, JsonObject, size_of
from latchkey.features.user_administration import queries
from latchkey.features.user_administration.changes import hold_target, require_another
from latchkey.features.user_administration.queries import HeldUser
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.conflicts import address_conflict
from latchkey.users.errors import EmailTaken
from latchkey.users.role import Role
from latchkey.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The values to set; None: as it is. `sets_claims`: `token_claims` None removes them."""

    name: str | None = None
    email: str | None = None
    verified: bool | None = None
    public: JsonObject | None = None
    private: JsonObject | None = None
    token_claims: JsonObject | None = None
    sets_claims: bool = False
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdate:
    """Updates users. Another role ends all their sessions."""

    audit: AuditLog
    ender: SessionEnder
    address_change: AddressChange

    async def update(self, user_id: int, wanted: Wanted, actor: Actor, *, force: bool = False) -> None:
        """Sets the wanted values. Writes nothing, and no audit row, if no value changes.

        A new address is not verified, unless `verified` says so; its old owner is notified. Raises UserNotFound,
        Forbidden, EmailTaken, ValidationFailed for too much metadata, and CannotChangeSelf and LastAdmin (unless
        `force`) for a role.
        """

        async def update_user(change: Change) -> None:
            if wanted.role is not None:
                require_another(actor, user_id)
            held = await hold_target(change, actor, user_id, keeps_admins=wanted.role is not None)
            changed = [
                *await self._fields(change, held, wanted, actor),
                *await _metadata(change, user_id, wanted),
                *await _claims(change, held, wanted),
                *await self._role(change, held, wanted.role, force=force),
            ]
            if changed:
                await change.record(actor.event(AccountAction.UPDATE_USER, user_id, changed=tuple(changed)))

        with address_conflict(EmailTaken):
            await self.audit.change(update_user)

    async def _fields(self, change: Change, held: HeldUser, wanted: Wanted, actor: Actor) -> list[str]:
        name = held.name if wanted.name is None else wanted.name
        email = held.email if wanted.email is None else wanted.email
        changed = [field for field, differs in (("name", name != held.name), ("email", email != held.email)) if differs]
        is_verified = held.is_verified
        if changed:
            user = User(id=held.id, name=held.name, email=held.email)
            await self.address_change.set(change, user, name=name, email=email, origin=actor.origin)
            is_verified = held.is_verified and email.lower() == held.email.lower()
        if wanted.verified is not None and wanted.verified is not is_verified:
            await queries.set_verified(change.connection, held.id, verified=wanted.verified)
            changed.append("verified")
        return changed

    async def _role(self, change: Change, held: HeldUser, role: Role | None, *, force: bool) -> list[str]:
        if role is None or role == held.role:
            return []
        await queries.set_role(change.connection, held.id, role)
        if held.is_usable_admin and not force:
            await require_usable_admin(change)
        await self.ender.end_all(change, held.id, EndedBy.ROLE_CHANGE)
        return ["role"]


async def _metadata(change: Change, user_id: int, wanted: Wanted) -> list[str]:
    if wanted.public is None and wanted.private is None:
        return []
    held = await metadata_queries.find(change.connection, user_id)
    new = replace(
        held,
        public=held.public if wanted.public is None else wanted.public,
        private=held.private if wanted.private is None else wanted.private,
    )
    if new == held:
        return []
    if size_of(new.public) + size_of(new.private) > SERVERS_MAX_BYTES:
        raise ValidationFailed(
            FieldError("metadata", f"public and private must be at most {SERVERS_MAX_BYTES} bytes of JSON together")
        )
    await metadata_queries.store(change.connection, user_id, new)
    return ["metadata"]


async def _claims(change: Change, held: HeldUser, wanted: Wanted) -> list[str]:
    if not wanted.sets_claims or wanted.token_claims == held.token_claims:
        return []
    await queries.set_token_claims(change.connection, held.id, wanted.token_claims)
    return ["tokenClaims"]
