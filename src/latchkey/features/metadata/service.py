"""The metadata of a user, as they read and change it themselves."""

from dataclasses import dataclass, replace

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.accounts.actions import AccountAction
from latchkey.features.metadata import queries
from latchkey.features.metadata.queries import Metadata
from latchkey.features.metadata.rules import JsonObject
from latchkey.sessions.errors import AccessTokenInvalid
from latchkey.users.queries import lock


@dataclass(frozen=True, slots=True)
class OwnMetadata:
    """Works on the metadata of the caller."""

    database: Database
    audit: AuditLog

    async def get(self, user_id: int) -> Metadata:
        """Returns the metadata of a user."""
        return await queries.find(self.database, user_id)

    async def set_owner(self, user_id: int, owner: JsonObject, actor: Actor) -> Metadata:
        """Replaces the user's own part. An equal one writes nothing."""

        async def change_it(change: Change) -> Metadata:
            if await lock(change.connection, user_id) is None:
                # Deleted since the guard ran, so the session has ended.
                raise AccessTokenInvalid
            held = await queries.find(change.connection, user_id)
            if held.owner == owner:
                return held
            changed = replace(held, owner=owner)
            await queries.store(change.connection, user_id, changed)
            await change.record(actor.event(AccountAction.UPDATE_USER, user_id, changed=("metadata",)))
            return changed

        return await self.audit.change(change_it)
